import type { MysqlClient } from './client.ts';
import { literal, plainWord } from './sql.ts';

/** Databases that belong to the server itself. */
const systemDatabases = new Set(['information_schema', 'mysql', 'performance_schema', 'sys', 'ndbinfo']);

/** Whether the database is the server's own. */
export function isSystemDatabase(name: string): boolean {
  return systemDatabases.has(name.toLowerCase()) || name.startsWith('#mysql50#');
}

/** Character set and collation that a database gives to what is made in it. */
export interface DatabaseShape {
  readonly characterSet: string;
  readonly collation: string;
}

/** Every database there is, by name. */
export async function listDatabases(client: MysqlClient, signal?: AbortSignal): Promise<string[]> {
  const from = 'FROM information_schema.SCHEMATA ORDER BY SCHEMA_NAME';
  return (await client.rows<{ name: string }>({ name: 'SCHEMA_NAME' }, from, signal)).map(({ name }) => name);
}

/** The shape of one database; undefined when there is none of this name. */
export async function databaseShape(
  client: MysqlClient,
  database: string,
  signal?: AbortSignal,
): Promise<DatabaseShape | undefined> {
  const columns = {
    name: 'SCHEMA_NAME',
    characterSet: 'DEFAULT_CHARACTER_SET_NAME',
    collation: 'DEFAULT_COLLATION_NAME',
  };
  const from = `FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ${literal(database)}`;
  const found = await client.rows<DatabaseShape & { name: string }>(columns, from, signal);
  const row = found.find(({ name }) => name === database);
  return row && { characterSet: row.characterSet, collation: row.collation };
}

/** The shape as CREATE DATABASE and ALTER DATABASE take it. */
export function shapeClause(shape: DatabaseShape): string {
  return `CHARACTER SET ${plainWord(shape.characterSet)} COLLATE ${plainWord(shape.collation)}`;
}
