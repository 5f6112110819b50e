import type { DatabaseSync } from 'node:sqlite';
import type { Manifest } from '../../domain/manifest.ts';
import type { RunResult, SourceResult } from '../../domain/run-event.ts';
import { sourceName } from '../../domain/types.ts';
import type { SourceKey } from './history.ts';
import type { Attempt } from './history-view.ts';

/** How much is kept: attempts per source, runs, and runs with what was said in them. */
const attemptsPerSource = 400;
const keptRuns = 500;
const runsWithEvents = 200;

/** All of it or nothing. */
export function transact(database: DatabaseSync, act: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    act();
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/** How one source ended, begun or not. */
export function finishAttempt(
  database: DatabaseSync,
  run: string,
  stack: string,
  at: string,
  result: SourceResult,
): void {
  database
    .prepare(
      `INSERT INTO attempts (run, stack, source, started_at, finished_at, result, body) VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6)
       ON CONFLICT DO UPDATE SET finished_at = ?4, result = ?5, body = ?6`,
    )
    .run(run, stack, result.source, at, result.result, JSON.stringify(result));
}

/** How a run ended. */
export function finishRun(database: DatabaseSync, run: string, at: string, result: RunResult, error?: string): void {
  database
    .prepare('UPDATE runs SET finished_at = ?, result = ?, error = ? WHERE id = ?')
    .run(at, result, error ?? null, run);
}

/** Marks these runs, or every one without an end when none are named, as cut short. */
export function interrupt(database: DatabaseSync, runs: readonly string[] | undefined, now: Date): void {
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
    database.prepare(`${whole} id = ? AND (result IS NULL OR result = 'cancelled')`).run(at, run);
  }
}

/** The last two attempts that were not skipped and are over. */
export function lastTwo(database: DatabaseSync, { stack, source }: SourceKey): readonly Attempt[] {
  return database
    .prepare(
      `SELECT * FROM attempts WHERE stack = ? AND source = ? AND result IS NOT NULL AND result <> 'skipped'
       ORDER BY started_at DESC LIMIT 2`,
    )
    .all(stack, source) as unknown as Attempt[];
}

/** Backups as attempts that succeeded; those that are known stay as they are. */
export function learn(database: DatabaseSync, manifests: readonly Manifest[]): void {
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
export function prune(database: DatabaseSync): void {
  database.exec(`
    DELETE FROM attempts WHERE rowid IN (
      SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY stack, source ORDER BY started_at DESC) AS age FROM attempts
      ) WHERE age > ${attemptsPerSource}
    ) AND rowid NOT IN (
      SELECT rowid FROM (
        SELECT rowid, row_number() OVER (PARTITION BY stack, source ORDER BY started_at DESC) AS age FROM attempts
        WHERE result IN ('ok', 'degraded', 'partial')
      ) WHERE age = 1
    );
    DELETE FROM runs WHERE id NOT IN (SELECT run FROM attempts)
      AND id NOT IN (SELECT id FROM runs ORDER BY started_at DESC LIMIT ${keptRuns});
    DELETE FROM events WHERE run NOT IN (SELECT id FROM runs ORDER BY started_at DESC LIMIT ${runsWithEvents});
  `);
}
