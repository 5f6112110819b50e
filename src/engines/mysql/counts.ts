import type { Counts } from '../../domain/manifest.ts';
import type { CatalogueObject } from './catalogue.ts';
import type { MysqlClient } from './client.ts';
import { lines } from './rows.ts';
import { identifier, literal } from './sql.ts';

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

/** How many objects of each kind; kinds that most databases never have are left out when there are none. */
export function countKinds(objects: Iterable<{ readonly kind: CatalogueObject['kind'] }>): Counts['objects'] {
  const counts: Record<string, number> = { tables: 0, views: 0, procedures: 0, functions: 0, triggers: 0, events: 0 };
  for (const { kind } of objects) counts[plurals[kind]] = (counts[plurals[kind]] ?? 0) + 1;
  return counts;
}

/** How the rows of one table are called in manifests. */
export function rowsOf(table: string): string {
  return `rows of ${table}`;
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
