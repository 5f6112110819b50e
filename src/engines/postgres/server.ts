import type { PostgresClient, PostgresConnection } from './client.ts';

/** A session in a database that lets us in and stays while others are renamed: none of those. */
export async function connectAdmin(
  client: PostgresClient,
  renamed: readonly string[],
  signal: AbortSignal,
): Promise<PostgresConnection> {
  const failures: unknown[] = [];
  for (const name of ['postgres', 'template1', client.user].filter((candidate) => !renamed.includes(candidate))) {
    try {
      return await client.connect(name, signal);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

/** The names of all databases, templates included. */
export async function databaseNames(admin: PostgresConnection): Promise<ReadonlySet<string>> {
  const rows = await admin.rows<{ name: string }>('SELECT datname AS name FROM pg_database');
  return new Set(rows.map(({ name }) => name));
}

/** The names of all tablespaces, the server's own included. */
export async function tablespaceNames(admin: PostgresConnection): Promise<ReadonlySet<string>> {
  const rows = await admin.rows<{ name: string }>('SELECT spcname AS name FROM pg_tablespace');
  return new Set(rows.map(({ name }) => name));
}

/** `17` of 17.5. */
export async function serverMajor(admin: PostgresConnection): Promise<number> {
  const [server] = await admin.rows<{ major: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  );
  if (!server) throw new Error('PostgreSQL returned no row about itself');
  return server.major;
}
