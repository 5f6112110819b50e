import type { DatabaseSync } from 'node:sqlite';
import type { Manifest } from '../domain/manifest.ts';
import type { RunEvent, RunResult, SourceResult } from '../domain/run-event.ts';
import { type SourceName, sourceName } from '../domain/types.ts';
import type { EventReader } from './event-bus.ts';
import { isDamage, openHistoryFile } from './history-file.ts';
import { type Attempt, type HistoryView, viewOf } from './history-view.ts';

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
  /** Since when this schedule holds for the source: `now` when it has changed, `known` when the source is new here. */
  scheduledSince(source: SourceKey, schedule: string, now: Date, known: Date): Date;
  /**
   * When the last attempt began that counts for the schedule. One that was cut short does not count, so that it is made
   * up for; the second in a row does, so that a run which kills its process is not begun for ever.
   */
  lastAttempt(source: SourceKey): Date | undefined;
  /** These runs ended with the process, and not because anybody wanted them to. */
  markInterrupted(runs: readonly string[], now: Date): void;
  /** Takes in backups that the catalogs know of. */
  learn(manifests: readonly Manifest[]): void;
}

export interface HistoryOptions {
  /** The file; `:memory:` for none. */
  readonly path: string;
  readonly now: () => Date;
  complain(message: string, error?: unknown): void;
}

const attemptsPerSource = 400;
const keptRuns = 500;
const runsWithEvents = 200;
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
    const isBackup = triggers.get(event.run) !== 'restore';
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
    scheduledSince: ({ stack, source }, schedule, changed, known) =>
      keep(
        'tell since when a schedule holds',
        (database) => {
          const row = database
            .prepare('SELECT schedule, since FROM schedules WHERE stack = ? AND source = ?')
            .get(stack, source) as { schedule: string; since: string } | undefined;
          if (row?.schedule === schedule) return new Date(row.since);
          const since = row ? changed : known;
          database
            .prepare('INSERT OR REPLACE INTO schedules (stack, source, schedule, since) VALUES (?, ?, ?, ?)')
            .run(stack, source, schedule, since.toISOString());
          return since;
        },
        changed,
      ),
    lastAttempt: (source) => {
      const [last, before] = keep('tell the last attempt', (database) => lastTwo(database, source), []);
      const counts = last?.result === 'interrupted' && before?.result !== 'interrupted' ? before : last;
      return counts && new Date(counts.started_at);
    },
    markInterrupted: (runs, at) =>
      keep('mark interrupted runs', (database) => interrupt(database, runs, at), undefined),
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

function transact(database: DatabaseSync, act: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    act();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function finishAttempt(database: DatabaseSync, run: string, stack: string, at: string, result: SourceResult): void {
  database
    .prepare(
      `INSERT INTO attempts (run, stack, source, started_at, finished_at, result, body) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
       ON CONFLICT DO UPDATE SET finished_at = ?4, result = ?5, body = ?6`,
    )
    .run(run, stack, result.source, at, result.result, JSON.stringify(result));
}

function finishRun(database: DatabaseSync, run: string, at: string, result: RunResult, error?: string): void {
  database
    .prepare('UPDATE runs SET finished_at = ?, result = ?, error = ? WHERE id = ?')
    .run(at, result, error ?? null, run);
}

/** Marks these runs, or every one without an end when none are named, as cut short. */
function interrupt(database: DatabaseSync, runs: readonly string[] | undefined, now: Date): void {
  const at = now.toISOString();
  const attempts = "UPDATE attempts SET result = 'interrupted', finished_at = ? WHERE";
  const whole = "UPDATE runs SET result = 'interrupted', finished_at = ? WHERE";
  if (!runs) {
    database.prepare(`${attempts} result IS NULL`).run(at);
    database.prepare(`${whole} result IS NULL`).run(at);
    return;
  }
  for (const run of runs) {
    database.prepare(`${attempts} run = ? AND (result IS NULL OR result = 'cancelled')`).run(at, run);
    database.prepare(`${whole} id = ?`).run(at, run);
  }
}

function lastTwo(database: DatabaseSync, { stack, source }: SourceKey): readonly Attempt[] {
  return database
    .prepare(
      `SELECT * FROM attempts WHERE stack = ? AND source = ? AND result IS NOT NULL AND result <> 'skipped'
       ORDER BY started_at DESC LIMIT 2`,
    )
    .all(stack, source) as unknown as Attempt[];
}

function learn(database: DatabaseSync, manifests: readonly Manifest[]): void {
  transact(database, () => {
    for (const manifest of manifests) {
      const source = sourceName(manifest);
      const { set, trigger, stack, startedAt, finishedAt, artifacts } = manifest;
      if (trigger === 'safety') continue;
      const sum = (key: 'plainBytes' | 'storedBytes') =>
        artifacts.reduce((total, artifact) => total + artifact[key], 0);
      const result: SourceResult = {
        source,
        result: 'ok',
        backup: manifest.id,
        plainBytes: sum('plainBytes'),
        storedBytes: sum('storedBytes'),
        durationMs: Math.max(0, new Date(finishedAt).getTime() - new Date(startedAt).getTime()),
      };
      database
        .prepare(
          `INSERT INTO runs (id, trigger, sources, started_at, finished_at, result) VALUES (?1, ?2, ?3, ?4, ?5, 'ok')
           ON CONFLICT DO UPDATE SET sources = json_insert(sources, '$[#]', ?6), finished_at = max(finished_at, ?5)`,
        )
        .run(set, trigger, JSON.stringify([source]), startedAt, finishedAt, source);
      database
        .prepare(
          `INSERT OR IGNORE INTO attempts (run, stack, source, started_at, finished_at, result, body)
           VALUES (?, ?, ?, ?, ?, 'ok', ?)`,
        )
        .run(set, stack, source, startedAt, finishedAt, JSON.stringify(result));
    }
  });
}

/** Keeps the file small: the last attempts of each source, the newest good one of each, the events of recent runs. */
function prune(database: DatabaseSync): void {
  database.exec(`
    DELETE FROM attempts WHERE rowid IN (
      SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY stack, source ORDER BY started_at DESC) AS age FROM attempts
      ) WHERE age > ${attemptsPerSource}
    ) AND rowid NOT IN (
      SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY stack, source ORDER BY started_at DESC) AS age FROM attempts
        WHERE result IN ('ok', 'degraded')
      ) WHERE age = 1
    );
    DELETE FROM runs WHERE id NOT IN (SELECT run FROM attempts)
      AND id NOT IN (SELECT id FROM runs ORDER BY started_at DESC LIMIT ${keptRuns});
    DELETE FROM events WHERE run NOT IN (SELECT id FROM runs ORDER BY started_at DESC LIMIT ${runsWithEvents});
  `);
}
