import { give, type WaitingGrant } from './account-restore.ts';
import type { MysqlClient } from './client.ts';
import { type DatabaseShape, shapeClause } from './database.ts';
import { asBytes } from './lexer.ts';
import { isRefusal } from './refusal.ts';
import { type CodeStatement, codeScript } from './split.ts';
import { identifier, qualified } from './sql.ts';

/** A database whose tables are in place. */
export interface Furnished {
  readonly database: string;
  readonly code: readonly CodeStatement[];
  readonly shape: DatabaseShape;
  /** It is not the database that the code was written for. */
  readonly isCopy: boolean;
}

export interface MadeCode {
  readonly warnings: readonly string[];
  /** Views of copies that could not be made: they name what is not there, or run with rights that end at the original. */
  readonly missingViews: number;
}

/** Makes everything that is not a table, kind by kind across all databases, because views may look into other databases. */
export async function makeCode(
  client: MysqlClient,
  databases: readonly Furnished[],
  grants: readonly WaitingGrant[],
): Promise<MadeCode> {
  const [first] = databases;
  if (!first) return { warnings: [], missingViews: 0 };
  const originals = databases.filter(({ isCopy }) => !isCopy);
  const make = async (chosen: readonly Furnished[], ...groups: readonly CodeStatement['kind'][][]) => {
    const script = groups.flatMap((kinds) => chosen.map((each) => scriptOf(each, kinds))).join('');
    await client.load(script, first.database);
  };
  const views = new Set(databases.flatMap(viewsOf));
  const isOfView = ({ object: { kind, database, name } }: WaitingGrant) =>
    kind === 'table' && views.has(`${database}.${name}`);
  await make(databases, ['library', 'procedure', 'function', 'package', 'package body']);
  // Before the views: one that runs with its maker's rights is refused as long as that account has none.
  const beforeViews = grants.filter((grant) => !isOfView(grant));
  const warnings = await give(client, beforeViews);
  await make(databases, ['placeholder']);
  await make(originals, ['view']);
  const missing = await copyViews(client, databases);
  await make(databases, ['trigger'], ['event']);
  warnings.push(...(await give(client, grants.filter(isOfView))));
  return { warnings: [...warnings, ...missing], missingViews: missing.length };
}

/** The views of copies one by one; returns a warning for each that was refused. */
async function copyViews(client: MysqlClient, databases: readonly Furnished[]): Promise<string[]> {
  const warnings: string[] = [];
  for (const copy of databases.filter(({ isCopy }) => isCopy)) {
    for (const view of copy.code.filter(({ kind }) => kind === 'view')) {
      try {
        await client.load(scriptOf({ ...copy, code: [view] }, ['view']), copy.database);
      } catch (error) {
        if (!isRefusal(error, ...notThere)) throw error;
        await client.run(`DROP VIEW IF EXISTS ${qualified(copy.database, view.name)};`);
        warnings.push(`view ${view.name} was not made in ${copy.database}: ${error.message}`);
      }
    }
  }
  return warnings;
}

/** Unknown database, column, table, routine; broken view; no right to use what it names. */
export const notThere = [1049, 1054, 1142, 1143, 1146, 1305, 1356, 1370];

function scriptOf({ database, code, shape, isCopy }: Furnished, kinds: readonly CodeStatement['kind'][]): string {
  const chosen = code.filter(({ kind }) => kinds.includes(kind));
  if (chosen.length === 0) return '';
  return `USE ${asBytes(identifier(database))};\n${codeScript(chosen, { database, defaults: shapeClause(shape), isCopy })}`;
}

function viewsOf({ database, code }: Furnished): string[] {
  return code.filter(({ kind }) => kind === 'view').map(({ name }) => `${database}.${name}`);
}
