import { text } from 'node:stream/consumers';
import type { RestoreSource, RestoreSteps } from '../engine.ts';
import type { PostgresConnection } from './client.ts';
import { missingRoleStatements } from './globals.ts';

/** Makes the roles of the backup that this server lacks, all or none. Resolves with what it could not make. */
export async function restoreRoles(
  admin: PostgresConnection,
  from: RestoreSource,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<string[]> {
  const globals = from.manifest.artifacts.find(({ kind }) => kind === 'globals');
  if (!globals) return [];
  steps.staging('roles');
  const script = await text(await from.open(globals, signal));
  const existing = await admin.rows<{ name: string; kind: 'role' | 'tablespace' }>(
    `SELECT rolname AS name, 'role' AS kind FROM pg_roles UNION ALL SELECT spcname, 'tablespace' FROM pg_tablespace`,
  );
  const missing = missingRoleStatements(script, existing);
  await admin.execute('BEGIN');
  for (const statement of missing.statements) await admin.execute(statement);
  await admin.execute('COMMIT');
  return missing.warnings;
}
