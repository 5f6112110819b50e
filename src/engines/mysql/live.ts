import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { keptName } from '../own-name.ts';
import { type CatalogueObject, readCatalogue } from './catalogue.ts';
import type { MysqlClient } from './client.ts';
import { type DatabaseShape, databaseShape } from './database.ts';
import { type CodeStatement, DumpSplitter } from './split.ts';
import { qualified } from './sql.ts';
import type { Staged } from './staging.ts';

/** A database as it is before the switch, and what is needed to make it so again. */
export interface Live {
  readonly database: string;
  /** Where its tables are put aside. */
  readonly kept: string;
  /** Absent: it does not exist. */
  readonly shape: DatabaseShape | undefined;
  /** What the restore replaces; tables that the backup left out on purpose are not among it. */
  readonly tables: readonly CatalogueObject[];
  readonly codeObjects: readonly CatalogueObject[];
  readonly code: readonly CodeStatement[];
}

export async function readLive(
  client: MysqlClient,
  staged: Staged,
  suffix: string,
  number: number,
  signal: AbortSignal,
): Promise<Live> {
  const { target: database, facts } = staged;
  const kept = keptName(database, suffix, number, isTooLong);
  const shape = await databaseShape(client, database, signal);
  if (!shape) return { database, kept, shape, tables: [], codeObjects: [], code: [] };
  const { tables, codeObjects } = replaceable(await readCatalogue(client, database, signal), facts.excluded);
  const code = codeObjects.length > 0 ? await readCode(client, database, codeObjects, facts.excluded, signal) : [];
  return { database, kept, shape, tables, codeObjects, code };
}

/** What a restore replaces of a database, without what its backup left out on purpose. */
export function replaceable(
  objects: readonly CatalogueObject[],
  excluded: readonly string[],
): { readonly tables: readonly CatalogueObject[]; readonly codeObjects: readonly CatalogueObject[] } {
  const left = new Set(excluded);
  const replaced = objects.filter(({ kind, name, table }) => {
    if (kind === 'trigger') return !left.has(table ?? '');
    return !(['table', 'sequence', 'view'].includes(kind) && left.has(name));
  });
  const isTable = ({ kind }: CatalogueObject) => kind === 'table' || kind === 'sequence';
  return { tables: replaced.filter(isTable), codeObjects: replaced.filter((each) => !isTable(each)) };
}

/** The statements that make the views, routines, triggers and events of a database, in the tool's own words. */
async function readCode(
  client: MysqlClient,
  database: string,
  objects: readonly CatalogueObject[],
  excluded: readonly string[],
  signal: AbortSignal,
): Promise<readonly CodeStatement[]> {
  // The tool gives up at a view whose tables are gone. Such a view is of no use to anybody and is not made again.
  const broken = objects.filter(({ isInvalid }) => isInvalid).map(({ name }) => name);
  const args = ['--no-data', '--single-transaction', '--routines', '--events', '--triggers', '--no-tablespaces'];
  const own = client.tools.product === 'MySQL' ? ['--set-gtid-purged=OFF', '--column-statistics=0'] : [];
  const ignored = [...broken, ...excluded].map((name) => `--ignore-table=${database}.${name}`);
  const output = await client.shell.output(
    client.command(client.tools.dump, [...args, ...own, ...ignored, '--', database]),
    signal,
  );
  const splitter = new DumpSplitter(database, database);
  await buffer(Readable.from(splitter.tables(output.stdout), { objectMode: false }));
  return splitter.code;
}

/** Statements that drop them; the order lets nothing run any more before anything it needs is gone. */
export function dropStatements(database: string, objects: readonly CatalogueObject[]): string {
  const order = ['event', 'trigger', 'view', 'procedure', 'function', 'package body', 'package', 'library'];
  return order
    .flatMap((kind) => objects.filter((each) => each.kind === kind))
    .map(({ kind, name }) => {
      const drop = `DROP ${kind.toUpperCase()} IF EXISTS ${qualified(database, name)};\n`;
      // Before MariaDB 11.4 packages are known in this mode only.
      return kind.startsWith('package') ? `SET sql_mode = 'ORACLE';\n${drop}SET sql_mode = '';\n` : drop;
    })
    .join('');
}

function isTooLong(name: string): boolean {
  return Array.from(name).length > 64;
}
