import type { Artifact } from '../../domain/manifest.ts';
import type { PostgresConnection } from './client.ts';
import { tablespaceNames } from './server.ts';
import { createStatements, type DatabaseShape } from './shape.ts';
import { identifier } from './sql.ts';

/** One database on its way back. */
export interface Staged {
  readonly artifact: Artifact;
  /** What it is called until the switch. */
  readonly name: string;
  /** What it is called after it. */
  readonly target: string;
}

/** Makes the copy, still empty. */
export async function makeStaged(
  admin: PostgresConnection,
  { name, artifact }: Staged,
  signal: AbortSignal,
): Promise<void> {
  const { shape } = artifact.facts as { shape: DatabaseShape };
  const tablespaces = await tablespaceNames(admin);
  for (const statement of createStatements(name, shape, tablespaces)) await admin.execute(statement, signal);
}

/** Removes the copies that there are. */
export async function dropStaged(admin: PostgresConnection, staged: readonly Staged[]): Promise<void> {
  for (const { name } of staged) await admin.execute(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}
