import type { DatabaseSync } from 'node:sqlite';
import type { Failure, RunEvent, SourceResult } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import { lookIntoHistoryFile } from './history-file.ts';

/** The history for those who only look. No method throws. */
export interface HistoryView {
  /** What is remembered of each source. */
  past(): readonly SourcePast[];
  /** One run by whole or short id, the newest when none is named. */
  record(id: string | undefined): RunRecord | undefined;
}

/** What is remembered of one source. */
export interface SourcePast {
  readonly stack: string;
  readonly source: SourceName;
  /** The last one that was not skipped, whatever became of it. */
  readonly last: PastAttempt;
  /** The last one that tells whether backups work: neither skipped nor cancelled by a person. */
  readonly decisive: PastAttempt | undefined;
  readonly good: PastAttempt | undefined;
}

export interface PastAttempt {
  readonly run: string;
  readonly startedAt: string;
  readonly result: SourceResult['result'] | 'interrupted';
  /** Absent when it never came to one. */
  readonly outcome?: SourceResult;
  /** Why it failed, in words. */
  readonly error?: Failure;
}

/** One run with everything that was said in it. */
export interface RunRecord {
  readonly run: string;
  readonly trigger: string;
  readonly sources: readonly SourceName[];
  readonly startedAt: string;
  /** Absent while it runs. */
  readonly finishedAt?: string;
  readonly result?: string;
  readonly error?: Failure;
  readonly events: readonly RunEvent[];
}

/** A row of the table of attempts. */
export interface Attempt {
  readonly run: string;
  readonly stack: string;
  readonly source: SourceName;
  readonly started_at: string;
  readonly result: PastAttempt['result'];
  readonly body: string | null;
}

/** Does something with the database, or gives the other value when it cannot be done. */
export type Guarded = <T>(what: string, act: (database: DatabaseSync) => T, otherwise: T) => T;

const interrupted: Failure = {
  code: 'CANCELLED',
  message: 'Lifeboat was ended while it ran',
  hint: 'a scheduled run is made up for at the next start; lifeboat backup makes one now',
};

export function viewOf(keep: Guarded): HistoryView {
  return {
    past: () => keep('be read', past, []),
    record: (id) => keep('be read', (database) => record(database, id), undefined),
  };
}

/** The history of a folder that another process may be writing to; empty when there is none. */
export function lookIntoHistory(path: string, complain: (message: string, error: unknown) => void): HistoryView {
  return viewOf((what, act, otherwise) => {
    try {
      const database = lookIntoHistoryFile(path);
      if (!database) return otherwise;
      try {
        return act(database);
      } finally {
        database.close();
      }
    } catch (error) {
      complain(`the run history could not ${what}`, error);
      return otherwise;
    }
  });
}

// --- utils ---

function past(database: DatabaseSync): readonly SourcePast[] {
  const key = ({ stack, source }: Attempt) => JSON.stringify([stack, source]);
  const newest = (where: string) =>
    new Map(
      (
        database
          .prepare(
            `SELECT * FROM (
               SELECT *, row_number() OVER (PARTITION BY stack, source ORDER BY started_at DESC) AS age
               FROM attempts WHERE result IS NOT NULL AND ${where}
             ) WHERE age = 1 ORDER BY stack, source`,
          )
          .all() as unknown as Attempt[]
      ).map((row) => [key(row), row]),
    );
  const decisive = newest("result NOT IN ('skipped', 'cancelled')");
  const good = newest("result IN ('ok', 'degraded', 'partial')");
  return [...newest("result <> 'skipped'")].map(([name, row]) => ({
    stack: row.stack,
    source: row.source,
    last: toPast(row),
    decisive: toPastIf(decisive.get(name)),
    good: toPastIf(good.get(name)),
  }));
}

function toPastIf(row: Attempt | undefined): PastAttempt | undefined {
  return row && toPast(row);
}

function toPast({ run, started_at: startedAt, result, body }: Attempt): PastAttempt {
  const outcome = body === null ? undefined : (JSON.parse(body) as SourceResult);
  const error = result === 'interrupted' ? interrupted : outcome?.error;
  return { run, startedAt, result, ...(outcome ? { outcome } : {}), ...(error ? { error } : {}) };
}

interface RunRow {
  readonly id: string;
  readonly trigger: string;
  readonly sources: string;
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly result: string | null;
  readonly error: string | null;
}

function record(database: DatabaseSync, id: string | undefined): RunRecord | undefined {
  const newestFirst = 'ORDER BY started_at DESC, id DESC LIMIT 1';
  const row = (
    id === undefined
      ? database.prepare(`SELECT * FROM runs ${newestFirst}`).get()
      : database.prepare(`SELECT * FROM runs WHERE id = ?1 OR substr(id, -6) = ?1 ${newestFirst}`).get(id)
  ) as RunRow | undefined;
  if (!row) return undefined;
  const events = database.prepare('SELECT body FROM events WHERE run = ? ORDER BY seq').all(row.id);
  return {
    run: row.id,
    trigger: row.trigger,
    sources: JSON.parse(row.sources) as SourceName[],
    startedAt: row.started_at,
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
    ...(row.result === null ? {} : { result: row.result }),
    ...(row.error === null ? {} : { error: JSON.parse(row.error) as Failure }),
    events: events.map(({ body }) => JSON.parse(String(body)) as RunEvent),
  };
}
