import { matchesAny } from '../glob.ts';
import type { MysqlClient } from './client.ts';
import { literal } from './sql.ts';
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

/** Engines whose tables show rows that are kept elsewhere; the tools dump only their definitions. */
export function isElsewhere(engine: string | null | undefined): boolean {
  return /^(?:FEDERATED|MRG_\w+|CONNECT|OQGRAPH|SPIDER|VP)$/i.test(engine ?? '');
}
