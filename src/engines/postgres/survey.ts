import type { Shell } from '../../domain/shell.ts';
import type { Survey } from '../engine.ts';
import { matchesAny } from '../glob.ts';
import { isOwnDatabase } from '../own-name.ts';
import { createClient, type PostgresClient, type PostgresConnection } from './client.ts';
import type { PostgresOptions } from './options.ts';

/** What `dump` needs of the survey beyond the contract. */
export interface PostgresNotes {
  readonly client: PostgresClient;
  readonly versionNumber: number;
  readonly isSuperuser: boolean;
}

interface ServerRow {
  readonly version: string;
  readonly number: number;
  readonly identity: string;
  readonly superuser: boolean;
  readonly recovering: boolean;
}

interface DatabaseRow {
  readonly name: string;
  readonly connectable: boolean;
  readonly template: boolean;
  readonly invalid: boolean;
  readonly bytes: number | null;
}

export async function survey(shell: Shell, options: PostgresOptions, signal: AbortSignal): Promise<Survey> {
  const client = await createClient(shell, options, signal);
  const asked = client.toolVersion('pg_dump', signal);
  asked.catch(() => {}); // Read below.
  await using connection = await connectForQuestions(client, signal).catch(async (error: unknown) => {
    await asked; // Without tools there is no login either.
    throw error;
  });
  const toolVersion = await asked;
  const [server] = await connection.rows<ServerRow>(`SELECT current_setting('server_version') AS version,
    current_setting('server_version_num')::int AS number, (pg_control_system()).system_identifier::text AS identity,
    (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser, pg_is_in_recovery() AS recovering`);
  if (!server) throw new Error('PostgreSQL returned no row about itself');
  const databases =
    await connection.rows<DatabaseRow>(`SELECT datname AS name, datallowconn AS connectable, datistemplate AS template,
    datconnlimit = -2 AS invalid,
    CASE WHEN has_database_privilege(oid, 'CONNECT') THEN pg_database_size(oid) END AS bytes FROM pg_database ORDER BY datname`);

  const left: { name: string; why: string }[] = [];
  const chosen = databases.filter((database) => {
    const why = reasonToLeave(database, options);
    if (why && !database.template) left.push({ name: database.name, why });
    return why === undefined;
  });
  const warnings: string[] = [];
  if (server.recovering) warnings.push('the server is a standby: a long dump may be cancelled by recovery');
  if (!server.superuser) warnings.push(`role ${client.user} is no superuser: role passwords are not in the dump`);
  const notes: PostgresNotes = { client, versionNumber: server.number, isSuperuser: server.superuser };
  return {
    product: 'PostgreSQL',
    version: server.version.split(' ')[0] ?? server.version,
    identity: server.identity,
    tool: { name: 'pg_dump', version: toolVersion },
    items: [
      { name: 'globals', kind: 'globals' },
      ...chosen.map((database) => ({ name: database.name, kind: 'database', bytes: database.bytes ?? undefined })),
    ],
    left,
    warnings,
    consistency: 'each database at its own snapshot',
    notes,
  };
}

/** A session in some database that lets us in, for questions about the whole server. */
async function connectForQuestions(client: PostgresClient, signal: AbortSignal): Promise<PostgresConnection> {
  for (const name of ['postgres', client.user]) {
    try {
      return await client.connect(name, signal);
    } catch (error) {
      if (!String(error).includes('does not exist')) throw error;
    }
  }
  return client.connect('template1', signal);
}

function reasonToLeave(database: DatabaseRow, options: PostgresOptions): string | undefined {
  if (isOwnDatabase(database.name)) return 'left behind by an earlier restore of Lifeboat';
  if (database.template) return 'a template';
  if (database.invalid) return 'an interrupted DROP DATABASE left it unusable: drop it';
  if (!database.connectable) return 'the server allows no connections to it';
  if (!matchesAny(database.name, options.databases)) return 'not named in lifeboat.postgres.databases';
  if (matchesAny(database.name, options['exclude-databases'] ?? []))
    return 'named in lifeboat.postgres.exclude-databases';
  return undefined;
}
