import type { Counts } from '../../domain/manifest.ts';
import type { PostgresConnection } from './client.ts';

/** User objects: not the server's own, not temporary, not owned by an extension (the extension makes those again). */
const userTables = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

const userFunctions = `pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`;

/**
 * How many objects of each kind the database holds, as the connection's snapshot sees it. What pg_dump leaves out is not
 * counted: indexes that could not be built, and the copies of a trigger that its partitions have.
 */
export async function countObjects(connection: PostgresConnection): Promise<Counts> {
  const [row] = await connection.rows<Record<string, number>>(`SELECT
    (SELECT count(*) FROM ${userTables} AND c.relkind IN ('r', 'p')) AS tables,
    (SELECT count(*) FROM ${userTables} AND c.relkind = 'v') AS views,
    (SELECT count(*) FROM ${userTables} AND c.relkind = 'm') AS materialized_views,
    (SELECT count(*) FROM ${userTables} AND c.relkind = 'S') AS sequences,
    (SELECT count(*) FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
      WHERE i.indisready AND (i.indisvalid OR t.relkind = 'p') AND i.indrelid IN (SELECT c.oid FROM ${userTables})) AS indexes,
    (SELECT count(*) FROM pg_constraint k WHERE k.conrelid IN (SELECT c.oid FROM ${userTables}) AND k.contype <> 'n') AS constraints,
    (SELECT count(*) FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgrelid IN (SELECT c.oid FROM ${userTables})) AS triggers,
    (SELECT count(*) FROM ${userFunctions}) AS functions,
    (SELECT count(*) FROM pg_extension WHERE extname <> 'plpgsql') AS extensions,
    (SELECT count(*) FROM pg_largeobject_metadata) AS large_objects`);
  return { how: 'catalogue', objects: row ?? {} };
}

/** Tables whose rows a dump carries, with their names as SQL writes them. */
async function dataTables(
  connection: PostgresConnection,
): Promise<{ readonly name: string; readonly estimate: number }[]> {
  return connection.rows(`SELECT format('%I.%I', n.nspname, c.relname) AS name, greatest(c.reltuples, 0)::bigint AS estimate
    FROM ${userTables} AND c.relkind = 'r' ORDER BY 1`);
}

/**
 * Rows of each table. Exact counts read every table once more; when they run longer than `limitMs` in all, the server's
 * estimates are given instead. Works inside an open transaction and leaves it usable.
 */
export async function countRows(connection: PostgresConnection, limitMs: number | undefined): Promise<Counts> {
  const tables = await dataTables(connection);
  if (limitMs === 0) return estimates(tables);
  const objects: Record<string, number> = {};
  const started = performance.now();
  for (const { name } of tables) {
    const left = limitMs === undefined ? 0 : Math.ceil(limitMs - (performance.now() - started));
    if (left < 0) return estimates(tables);
    await connection.execute('SAVEPOINT counting');
    await connection.execute(`SET LOCAL statement_timeout = ${left}`);
    try {
      const [row] = await connection.rows<{ rows: number }>(`SELECT count(*) AS rows FROM ONLY ${name}`);
      objects[name] = row?.rows ?? 0;
    } catch (error) {
      if (!String(error).includes('57014')) throw error; // query_canceled: the limit, not a fault
      await connection.execute('ROLLBACK TO SAVEPOINT counting');
      return estimates(tables);
    }
    await connection.execute('RELEASE SAVEPOINT counting');
  }
  await connection.execute('SET LOCAL statement_timeout = 0');
  return { how: 'exact', objects };
}

function estimates(tables: readonly { readonly name: string; readonly estimate: number }[]): Counts {
  return { how: 'catalogue', objects: Object.fromEntries(tables.map(({ name, estimate }) => [name, estimate])) };
}
