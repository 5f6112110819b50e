import type { DatabaseSync } from 'node:sqlite';
import type { Manifest } from '../../domain/manifest.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import type { EventReader } from './event-bus.ts';
import { isDamage, openHistoryFile } from './history-file.ts';
import { finishAttempt, finishRun, interrupt, lastTwo, learn, prune, transact } from './history-rows.ts';
import { type HistoryView, viewOf } from './history-view.ts';

/** A source without what changes between runs; two stacks may each have a `db/postgres`. */
export interface SourceKey {
  readonly stack: string;
  readonly source: SourceName;
}

/**
 * What happened on this host: runs, how each source ended, and what was said. Only a memory: nothing that is backed up or
 * restored depends on it. No method throws; what cannot be kept or read is complained of.
 */
export interface History extends EventReader, HistoryView, Disposable {
  /** There was none before: whoever has the catalogs may teach it with `learn`. */
  readonly isNew: boolean;
  /** Since when this schedule holds for the source: `now` when it has changed, or the source is new here. */
  scheduledSince(source: SourceKey, schedule: string, now: Date): Date;
  /**
   * When the last attempt began that counts for the schedule. One that was cut short does not count, so that it is made
   * up for; the second in a row does, so that a run which kills its process is not begun for ever.
   */
  lastAttempt(source: SourceKey): Date | undefined;
  /** These runs ended with the process, and not because anybody wanted them to. */
  markInterrupted(runs: readonly string[], now: Date): void;
  /** What somebody noted under this name for the next process; undefined when that is nothing. */
  noted(name: string): unknown;
  /** Notes a value that is JSON. */
  note(name: string, value: unknown): void;
  /** Takes in backups that the catalogs know of. */
  learn(manifests: readonly Manifest[]): void;
}

export interface HistoryOptions {
  /** The file; `:memory:` for none. */
  readonly path: string;
  readonly now: () => Date;
  complain(message: string, error?: unknown): void;
}

const eventsPerRun = 2000;

/** Opens the history for writing; the caller holds the lock on the data folder. A file that cannot be used is replaced. */
export function openHistory({ path, now, complain }: HistoryOptions): History {
  let opened = open(path, complain);
  const triggers = new Map<string, string>();
  const told = new Map<string, number>();

  /** Does one thing with the database; a damaged one is replaced and the thing done again. */
  function keep<T>(what: string, act: (database: DatabaseSync) => T, otherwise: T): T {
    try {
      return act(opened.database);
    } catch (error) {
      if (!isDamage(error)) {
        complain(`the run history could not ${what}`, error);
        return otherwise;
      }
    }
    try {
      opened.database.close();
      opened = open(path, complain);
      return act(opened.database);
    } catch (error) {
      complain(`the run history could not ${what}`, error);
      return otherwise;
    }
  }

  keep('close what was left open', (database) => interrupt(database, undefined, now()), undefined);

  const record = (event: RunEvent, database: DatabaseSync) => {
    const isBackup = !['restore', 'verify', 'copy'].includes(triggers.get(event.run) ?? '');
    if (event.type === 'run.started') {
      database
        .prepare('INSERT OR REPLACE INTO runs (id, trigger, sources, started_at) VALUES (?, ?, ?, ?)')
        .run(event.run, event.trigger, JSON.stringify(event.sources), event.at);
    } else if (event.type === 'step.started' && event.source !== undefined && isBackup) {
      database
        .prepare('INSERT OR IGNORE INTO attempts (run, stack, source, started_at) VALUES (?, ?, ?, ?)')
        .run(event.run, event.stack ?? '', event.source, event.at);
    } else if (event.type === 'source.finished' && isBackup) {
      finishAttempt(database, event.run, event.stack ?? '', event.at, event.result);
    } else if (event.type === 'run.finished') {
      finishRun(database, event.run, event.at, event.result, event.error && JSON.stringify(event.error));
    }
    database.prepare('INSERT INTO events (run, body) VALUES (?, ?)').run(event.run, JSON.stringify(event));
    if (event.type === 'run.finished') prune(database);
  };

  return {
    ...viewOf((what, act, otherwise) => keep(what, act, otherwise)),
    name: 'history',
    get isNew() {
      return opened.isNew;
    },
    read: (event) => {
      if (event.type === 'progress') return;
      if (event.type === 'run.started') triggers.set(event.run, event.trigger);
      const count = (told.get(event.run) ?? 0) + 1;
      told.set(event.run, count);
      if (count > eventsPerRun && !event.type.endsWith('finished')) return;
      keep('keep an event', (database) => transact(database, () => record(event, database)), undefined);
      if (event.type === 'run.finished') {
        triggers.delete(event.run);
        told.delete(event.run);
      }
    },
    scheduledSince: ({ stack, source }, schedule, now) =>
      keep(
        'tell since when a schedule holds',
        (database) => {
          const row = database
            .prepare('SELECT schedule, since FROM schedules WHERE stack = ? AND source = ?')
            .get(stack, source) as { schedule: string; since: string } | undefined;
          if (row?.schedule === schedule) return new Date(row.since);
          database
            .prepare('INSERT OR REPLACE INTO schedules (stack, source, schedule, since) VALUES (?, ?, ?, ?)')
            .run(stack, source, schedule, now.toISOString());
          return now;
        },
        now,
      ),
    lastAttempt: (source) => {
      const [last, before] = keep('tell the last attempt', (database) => lastTwo(database, source), []);
      const counts = last?.result === 'interrupted' && before?.result !== 'interrupted' ? before : last;
      return counts && new Date(counts.started_at);
    },
    markInterrupted: (runs, at) =>
      keep('mark interrupted runs', (database) => interrupt(database, runs, at), undefined),
    noted: (name) =>
      keep(
        'tell what was noted',
        (database) => {
          const row = database.prepare('SELECT body FROM notes WHERE name = ?').get(name);
          return row && (JSON.parse(String(row.body)) as unknown);
        },
        undefined,
      ),
    note: (name, value) =>
      keep(
        'keep a note',
        (database) =>
          void database
            .prepare('INSERT OR REPLACE INTO notes (name, body) VALUES (?, ?)')
            .run(name, JSON.stringify(value)),
        undefined,
      ),
    learn: (manifests) => keep('learn from the catalogs', (database) => learn(database, manifests), undefined),
    [Symbol.dispose]: () => {
      if (opened.database.isOpen) opened.database.close();
    },
  };
}

// --- utils ---

function open(path: string, complain: HistoryOptions['complain']): { database: DatabaseSync; isNew: boolean } {
  try {
    const opened = openHistoryFile(path);
    if (opened.movedTo !== undefined)
      complain(`the run history was damaged and is begun anew from the catalogs; the old one is ${opened.movedTo}`);
    return opened;
  } catch (error) {
    complain(`the run history ${path} cannot be opened and is kept in memory only`, error);
    return openHistoryFile(':memory:');
  }
}
