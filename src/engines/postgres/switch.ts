import { LifeboatError } from '../../domain/errors.ts';
import { afterCleanup } from '../cleanup.ts';
import type { RestoreSteps } from '../engine.ts';
import { keptName } from '../own-name.ts';
import type { PostgresConnection } from './client.ts';
import { databaseNames } from './server.ts';
import { identifier, literal } from './sql.ts';
import { dropStaged, type Staged } from './staged.ts';

/** What the journal keeps of a switch: the live databases and the names they are kept under. */
export interface SwitchUndo {
  readonly replaced: readonly { readonly database: string; readonly kept: string }[];
}

/** Renames the live databases away and the copies to their names, in one transaction. Resolves with what was replaced. */
export async function switchOver(
  admin: PostgresConnection,
  staged: readonly Staged[],
  suffix: string,
  steps: RestoreSteps,
): Promise<SwitchUndo['replaced']> {
  const existing = await databaseNames(admin);
  const replaced = staged
    .filter(({ target }) => existing.has(target))
    .map(({ target }, number) => ({ database: target, kept: keptName(target, suffix, number, isTooLong) }));
  await steps.switching(staged.map(({ target }) => target).join(', '), { replaced } satisfies SwitchUndo);
  try {
    for (const { database } of replaced) {
      await admin.execute(`ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS false`);
      await disconnectAll(admin, database);
    }
    await admin.execute('BEGIN');
    for (const { database, kept } of replaced)
      await admin.execute(`ALTER DATABASE ${identifier(database)} RENAME TO ${identifier(kept)}`);
    for (const { name, target } of staged)
      await admin.execute(`ALTER DATABASE ${identifier(name)} RENAME TO ${identifier(target)}`);
    // A cancellation that came now would not tell whether it was in time.
    await admin.execute('COMMIT', new AbortController().signal);
  } catch (error) {
    throw await afterCleanup(error, async () => {
      await admin.execute('ROLLBACK');
      for (const { database } of replaced)
        await admin.execute(`ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS true`);
      await dropStaged(admin, staged);
    });
  }
  return replaced;
}

// --- utils ---

/** PostgreSQL cuts names at 63 bytes without a word. */
function isTooLong(name: string): boolean {
  return Buffer.byteLength(name) > 63;
}

/** No connection may be open to a database that is renamed. New ones are refused already; old ones need a moment to die. */
async function disconnectAll(admin: PostgresConnection, database: string): Promise<void> {
  const sessions = `FROM pg_stat_activity WHERE datname = ${literal(database)} AND pid <> pg_backend_pid()`;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const rows = await admin.rows(`SELECT pg_terminate_backend(pid), pg_sleep(0.1) ${sessions}`);
    if (rows.length === 0) return;
  }
  throw new LifeboatError('RESTORE_FAILED', `connections to database ${database} do not end`, {
    hint: 'stop the services that use it and restore again',
  });
}
