import type { Recovered, Unfinished } from '../engine.ts';
import { stagedPrefix } from '../own-name.ts';
import { applicationName, type PostgresClient } from './client.ts';
import { connectAdmin, databaseNames } from './server.ts';
import { identifier, literal } from './sql.ts';
import type { SwitchUndo } from './switch.ts';

/**
 * All renames are one transaction, so they happened or not. What can be left half-done is before it: databases that take
 * no connections any more, and copies that nobody needs.
 */
export async function recover(
  client: PostgresClient,
  { suffix, undo }: Unfinished,
  signal: AbortSignal,
): Promise<Recovered> {
  const { replaced } = (undo ?? { replaced: [] }) as SwitchUndo; // Written by this engine.
  const names = replaced.map(({ database }) => database);
  await using admin = await connectAdmin(client, names, signal);
  // A client without its master goes on with the statement it had begun, as soon as it can.
  await admin.rows(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = ${literal(applicationName)}
     AND pid <> pg_backend_pid() AND query LIKE 'ALTER DATABASE %'`,
    signal,
  );
  const existing = await databaseNames(admin);
  for (const name of existing) {
    if (name.startsWith(stagedPrefix(suffix)))
      await admin.execute(`DROP DATABASE ${identifier(name)} WITH (FORCE)`, signal);
  }
  if (replaced.some(({ kept }) => existing.has(kept))) return { live: 'restored', found: 'it had been completed' };
  for (const database of names)
    if (existing.has(database))
      await admin.execute(`ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS true`, signal);
  // Databases that were only made anew leave nothing to tell by.
  if (undo !== undefined && replaced.length === 0)
    return { live: 'either', found: 'it had been completed, or not begun' };
  return { live: 'before', found: 'the live databases are as they were' };
}
