import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Survey, SurveyItem } from '../engine.ts';
import { matchesAny } from '../glob.ts';
import { isOwnDatabase } from '../own-name.ts';
import { isElsewhere } from './catalogue.ts';
import { createClient, type MysqlClient } from './client.ts';
import { isSystemDatabase, listDatabases } from './database.ts';
import { serverIdentity } from './identity.ts';
import type { MysqlOptions } from './options.ts';
import { blindSpots, type Privileges, readPrivileges } from './privileges.ts';
import { isRefusal } from './refusal.ts';

/** What `dump` needs of the survey beyond the contract. */
export interface MysqlNotes {
  readonly client: MysqlClient;
  /** Databases to be dumped under a lock of all tables, because not all of their tables are transactional. */
  readonly locked: ReadonlySet<string>;
}

interface TableRow {
  readonly database: string;
  readonly name: string;
  readonly type: string;
  readonly bytes: number | null;
  readonly engine: string | null;
  readonly transactional: string | null;
}

export async function survey(shell: Shell, options: MysqlOptions, signal: AbortSignal): Promise<Survey> {
  const client = await createClient(shell, options, signal);
  const privileges = await readPrivileges(client, signal);
  const left: { name: string; why: string }[] = [];
  const databases = await chooseDatabases(client, options, left, signal);
  const tables = await readTables(client, databases, options, left, signal);
  const elsewhere = tables.filter(({ engine }) => isElsewhere(engine));
  const unsafe = byDatabase(
    tables.filter((table) => isTable(table.type) && table.transactional !== 'YES' && !elsewhere.includes(table)),
  );
  const warnings = [...privilegeWarnings(client, privileges, databases), ...unsafeWarnings(unsafe, options)];
  if (elsewhere.length > 0) {
    const names = elsewhere.map(({ database, name }) => `${database}.${name}`).join(', ');
    warnings.push(`rows kept elsewhere are not saved, only the definition: ${names}`);
  }
  const items: SurveyItem[] = databases.map((name) => ({
    name,
    kind: 'database',
    bytes: tables.reduce((sum, table) => sum + (table.database === name ? Number(table.bytes ?? 0) : 0), 0),
  }));
  if (await seesAccounts(client, signal)) items.unshift({ name: 'users', kind: 'users' });
  else warnings.push(`account ${client.server.account} may not read accounts: users and grants are not in the backup`);
  const notes: MysqlNotes = {
    client,
    locked: new Set(options['non-transactional'] === 'lock' ? unsafe.keys() : []),
  };
  return {
    product: client.server.product,
    version: client.server.version,
    identity: await serverIdentity(client, signal),
    tool: { name: client.tools.dump, version: client.tools.version },
    items,
    left,
    warnings,
    consistency: consistency(unsafe, options),
    notes,
  };
}

async function chooseDatabases(
  client: MysqlClient,
  options: MysqlOptions,
  left: { name: string; why: string }[],
  signal: AbortSignal,
): Promise<string[]> {
  return (await listDatabases(client, signal)).filter((name) => {
    const why = reasonToLeave(name, options);
    if (why !== undefined && !isSystemDatabase(name)) left.push({ name, why });
    return why === undefined;
  });
}

function reasonToLeave(database: string, options: MysqlOptions): string | undefined {
  if (isSystemDatabase(database)) return "the server's own";
  if (isOwnDatabase(database)) return 'left behind by an earlier restore of Lifeboat';
  if (!matchesAny(database, options.databases)) return 'not named in lifeboat.mysql.databases';
  if (matchesAny(database, options['exclude-databases'])) return 'named in lifeboat.mysql.exclude-databases';
  return undefined;
}

/** All tables and views of the chosen databases but the excluded ones, which are noted as left. */
async function readTables(
  client: MysqlClient,
  databases: readonly string[],
  options: MysqlOptions,
  left: { name: string; why: string }[],
  signal: AbortSignal,
): Promise<TableRow[]> {
  const columns = {
    database: 't.TABLE_SCHEMA',
    name: 't.TABLE_NAME',
    type: 't.TABLE_TYPE',
    bytes: 't.DATA_LENGTH + t.INDEX_LENGTH',
    engine: 't.ENGINE',
    transactional: 'e.TRANSACTIONS',
  };
  const from = `FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
    WHERE t.TABLE_SCHEMA NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')`;
  const all = await client.rows<TableRow>(columns, from, signal);
  const chosen = new Set(databases);
  return all.filter((table) => {
    if (!chosen.has(table.database)) return false;
    const name = `${table.database}.${table.name}`;
    if (!matchesAny(name, options['exclude-tables'])) return true;
    left.push({ name, why: 'named in lifeboat.mysql.exclude-tables' });
    return false;
  });
}

function isTable(type: string): boolean {
  return type === 'BASE TABLE' || type === 'SYSTEM VERSIONED';
}

function byDatabase(tables: readonly TableRow[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { database, name } of tables) found.set(database, [...(found.get(database) ?? []), `${database}.${name}`]);
  return found;
}

async function seesAccounts(client: MysqlClient, signal: AbortSignal): Promise<boolean> {
  try {
    await client.run('SELECT COUNT(*) FROM mysql.user;', { signal });
    return true;
  } catch (error) {
    // 1044, 1142, 1143: no privilege for the database, the table, the column.
    if (isRefusal(error, 1044, 1142, 1143)) return false;
    throw error;
  }
}

function privilegeWarnings(client: MysqlClient, privileges: Privileges, databases: readonly string[]): string[] {
  const { account, product } = client.server;
  const warnings = databases.flatMap((database) => {
    const blind = blindSpots(database, privileges, product);
    if (blind.length === 0) return [];
    return [
      `account ${account} does not see ${blind.join(', ')} of ${database}: any there are missing from the backup`,
    ];
  });
  if (privileges.everywhere('SELECT')) return warnings;
  return [`account ${account} may not read everything: what it does not see is not in the backup`, ...warnings];
}

function unsafeWarnings(unsafe: ReadonlyMap<string, readonly string[]>, options: MysqlOptions): string[] {
  const tables = [...unsafe.values()].flat();
  if (tables.length === 0) return [];
  const policy = options['non-transactional'];
  const names = tables.slice(0, 5).join(', ') + (tables.length > 5 ? ` and ${tables.length - 5} more` : '');
  if (policy === 'fail') {
    throw new LifeboatError(
      'QUIESCE_FAILED',
      `tables that are not transactional cannot be saved at one moment: ${names}`,
      {
        hint: 'turn them into InnoDB tables, leave them out with exclude-tables, or set lifeboat.mysql.non-transactional to lock or warn',
      },
    );
  }
  if (policy === 'lock')
    return [`all writes stop while ${[...unsafe.keys()].join(', ')} is dumped, because of ${names}`];
  return [`not transactional, so saved as they are when each is read: ${names}`];
}

function consistency(unsafe: ReadonlyMap<string, readonly string[]>, options: MysqlOptions): string {
  const own = 'each database at its own moment';
  if (unsafe.size === 0) return own;
  if (options['non-transactional'] === 'lock')
    return `${own}, ${[...unsafe.keys()].join(', ')} under a lock of all tables`;
  const count = [...unsafe.values()].flat().length;
  const tables = count === 1 ? '1 table that is' : `${count} tables that are`;
  return `${own}, ${tables} not transactional as each was when it was read`;
}
