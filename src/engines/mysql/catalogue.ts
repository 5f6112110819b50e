import type { Counts } from '../../domain/manifest.ts';
import { matchesAny } from '../glob.ts';
import { lines, type MysqlClient } from './client.ts';
import { identifier, literal, plainWord } from './sql.ts';
import type { CodeKind } from './statement.ts';
import { isAtLeast } from './tools.ts';

/** One object of a database, as the server's catalogue has it. */
export interface CatalogueObject {
  readonly kind: 'table' | 'sequence' | CodeKind;
  readonly name: string;
  /** Tables only. */
  readonly engine?: string | null;
  /** Rows are counted with their history where the table keeps one. */
  readonly isVersioned?: boolean;
  /** Views only: what they refer to is gone, so that no dump can be made of them. */
  readonly isInvalid?: boolean;
  /** Triggers only. */
  readonly table?: string | null;
}

interface Row {
  readonly database: string;
  readonly kind: string;
  readonly name: string;
  readonly engine: string | null;
  readonly extra: string | null;
}

/** Everything the database holds, in the order of its names. */
export async function readCatalogue(
  client: MysqlClient,
  database: string,
  signal?: AbortSignal,
): Promise<readonly CatalogueObject[]> {
  const name = literal(database);
  const parts = [
    select(
      'TABLE_SCHEMA',
      'TABLE_TYPE',
      'TABLE_NAME',
      'ENGINE',
      'TABLE_COMMENT',
      `TABLES WHERE TABLE_SCHEMA = ${name}`,
    ),
    select('ROUTINE_SCHEMA', 'ROUTINE_TYPE', 'ROUTINE_NAME', 'NULL', 'NULL', `ROUTINES WHERE ROUTINE_SCHEMA = ${name}`),
    select(
      'TRIGGER_SCHEMA',
      "'TRIGGER'",
      'TRIGGER_NAME',
      'NULL',
      'EVENT_OBJECT_TABLE',
      `TRIGGERS WHERE TRIGGER_SCHEMA = ${name}`,
    ),
    select('EVENT_SCHEMA', "'EVENT'", 'EVENT_NAME', 'NULL', 'NULL', `EVENTS WHERE EVENT_SCHEMA = ${name}`),
    ...(hasLibraries(client)
      ? [
          select(
            'LIBRARY_SCHEMA',
            "'LIBRARY'",
            'LIBRARY_NAME',
            'NULL',
            'NULL',
            `LIBRARIES WHERE LIBRARY_SCHEMA = ${name}`,
          ),
        ]
      : []),
  ];
  const columns = { database: 'd', kind: 'k', name: 'n', engine: 'e', extra: 'x' };
  const rows = await client.rows<Row>(columns, `FROM (${parts.join(' UNION ALL ')}) AS objects`, signal);
  return rows
    .filter((row) => row.database === database) // The catalogue's own comparison may ignore case.
    .map(object)
    .filter((found) => found !== undefined)
    .sort((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
}

function select(database: string, kind: string, name: string, engine: string, extra: string, from: string): string {
  return `SELECT ${database} AS d, ${kind} AS k, ${name} AS n, ${engine} AS e, ${extra} AS x FROM information_schema.${from}`;
}

/** They came with MySQL 9.2. */
function hasLibraries({ server }: MysqlClient): boolean {
  return server.product === 'MySQL' && isAtLeast(server.version, 9, 2);
}

function object(row: Row): CatalogueObject | undefined {
  const { name, engine, extra } = row;
  const kind = row.kind.toUpperCase();
  if (kind === 'BASE TABLE') return { kind: 'table', name, engine };
  if (kind === 'SYSTEM VERSIONED') return { kind: 'table', name, engine, isVersioned: true };
  if (kind === 'SEQUENCE') return { kind: 'sequence', name };
  if (kind === 'TRIGGER') return { kind: 'trigger', name, table: extra };
  if (kind.endsWith('VIEW'))
    return { kind: 'view', name, isInvalid: /^View '.*' references invalid/s.test(extra ?? '') };
  const code = kind.toLowerCase();
  return routineKinds.has(code) ? { kind: code as CodeKind, name } : undefined;
}

const routineKinds = new Set(['procedure', 'function', 'package', 'package body', 'event', 'library']);

/** Names of the counts in manifests. */
const plurals: Readonly<Record<CatalogueObject['kind'], string>> = {
  table: 'tables',
  sequence: 'sequences',
  view: 'views',
  trigger: 'triggers',
  procedure: 'procedures',
  function: 'functions',
  package: 'packages',
  'package body': 'package bodies',
  event: 'events',
  library: 'libraries',
};

/** True for the name of a count of objects, as against one of rows. */
export function isKind(count: string): boolean {
  return Object.values(plurals).includes(count);
}

/** Without the tables and views that match the patterns on `database.table`, and the triggers of such tables. */
export function withoutExcluded(
  objects: readonly CatalogueObject[],
  database: string,
  patterns: readonly string[],
): { readonly included: readonly CatalogueObject[]; readonly excluded: readonly CatalogueObject[] } {
  const isExcluded = ({ kind, name, table }: CatalogueObject) => {
    const subject = kind === 'trigger' ? table : ['table', 'view', 'sequence'].includes(kind) ? name : undefined;
    return typeof subject === 'string' && matchesAny(`${database}.${subject}`, patterns);
  };
  return {
    included: objects.filter((each) => !isExcluded(each)),
    excluded: objects.filter((each) => isExcluded(each) && each.kind !== 'trigger'),
  };
}

/** How many objects of each kind; kinds that most databases never have are left out when there are none. */
export function countKinds(objects: Iterable<{ readonly kind: CatalogueObject['kind'] }>): Counts['objects'] {
  const counts: Record<string, number> = { tables: 0, views: 0, procedures: 0, functions: 0, triggers: 0, events: 0 };
  for (const { kind } of objects) counts[plurals[kind]] = (counts[plurals[kind]] ?? 0) + 1;
  return counts;
}

/** Engines whose tables show rows that are kept elsewhere; the tools dump only their definitions. */
export function isElsewhere(engine: string | null | undefined): boolean {
  return /^(?:FEDERATED|MRG_\w+|CONNECT|OQGRAPH|SPIDER|VP)$/i.test(engine ?? '');
}

/** How the rows of one table are called in manifests. */
export function rowsOf(table: string): string {
  return `rows of ${table}`;
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

export function shapeClause(shape: DatabaseShape): string {
  return `CHARACTER SET ${plainWord(shape.characterSet)} COLLATE ${plainWord(shape.collation)}`;
}

/** Rows of each table, counted one by one. */
export async function countRows(
  client: MysqlClient,
  database: string,
  tables: readonly CatalogueObject[],
  signal?: AbortSignal,
): Promise<Record<string, number>> {
  const questions = tables.map(({ name, isVersioned }) => {
    const history = isVersioned ? ' FOR SYSTEM_TIME ALL' : '';
    return `SELECT JSON_OBJECT('name', ${literal(name)}, 'rows', COUNT(*)) FROM ${identifier(name)}${history};`;
  });
  if (questions.length === 0) return {};
  const printed = await client.run(questions.join('\n'), { database, signal });
  const counted = lines(printed).map(([row]) => JSON.parse(row ?? '') as { name: string; rows: number });
  return Object.fromEntries(counted.map(({ name, rows }) => [rowsOf(name), rows]));
}
