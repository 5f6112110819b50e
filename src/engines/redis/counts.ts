import type { Counts } from '../../domain/manifest.ts';
import type { RedisClient } from './client.ts';
import { type Info, keyspaceOf, parseInfo } from './info.ts';
import type { RdbContent } from './rdb/walk.ts';

/** Asking each graph for its size costs a query; with more graphs than this only their number is kept. */
const mostGraphsAsked = 100;

/** FalkorDB splits a big graph into parts of this type, which are keys in the file and gone after loading. */
const partsOfGraphs = 'graphmeta';
const graphType = 'graphdata';

/** What the server holds now, by its own account. */
export async function countServer(client: RedisClient, signal: AbortSignal): Promise<Counts> {
  const answers = await client.ask([['INFO', 'keyspace'], ['FUNCTION', 'STATS'], ['GRAPH.LIST']], signal);
  const [keyspace, functions, graphs] = answers.map(({ text, isError }) => (isError ? undefined : text));
  const names = graphs?.split('\n').filter((name) => name !== '');
  return {
    how: 'catalogue',
    objects: {
      ...keyObjects(parseInfo(keyspace ?? '')),
      ...(functions === undefined ? {} : { 'function libraries': librariesOf(functions) }),
      ...(names === undefined ? {} : { graphs: names.length, ...(await graphSizes(client, names, signal)) }),
    },
  };
}

/** `keys of db0` and so on, from what the server says. */
function keyObjects(info: Info): Record<string, number> {
  return Object.fromEntries(Array.from(keyspaceOf(info), ([number, { keys }]) => [`keys of db${number}`, keys]));
}

/** What an RDB holds, as far as it was understood. */
export function countRdb({ databases, libraries, unknown }: RdbContent): Counts | undefined {
  if (unknown !== undefined) return undefined;
  const objects: Record<string, number> = {};
  let graphs = 0;
  for (const [number, database] of databases) {
    const keys = keysAfterLoading(database);
    if (keys > 0) objects[`keys of db${number}`] = keys;
    if (database.expires > 0) objects[`expiring keys of db${number}`] = database.expires;
    graphs += database.modules.get(graphType) ?? 0;
    for (const [type, count] of database.modules) {
      objects[`keys of module type ${type}`] = (objects[`keys of module type ${type}`] ?? 0) + count;
    }
  }
  return { how: 'dump', objects: { ...objects, 'function libraries': libraries, ...(graphs > 0 ? { graphs } : {}) } };
}

/** Keys that a server has of this database once it is loaded, before any expires. */
export function keysAfterLoading(database: { readonly keys: number; readonly modules: Map<string, number> }): number {
  return database.keys - (database.modules.get(partsOfGraphs) ?? 0);
}

/** FUNCTION STATS has a number of libraries for each scripting language. */
export function librariesOf(stats: string): number {
  return [...stats.matchAll(/^libraries_count\n(\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function graphSizes(
  client: RedisClient,
  graphs: readonly string[],
  signal: AbortSignal,
): Promise<Record<string, number>> {
  if (graphs.length > mostGraphsAsked) return {};
  const questions = graphs.flatMap((graph) => [
    { what: `nodes of graph ${graph}`, words: ['GRAPH.RO_QUERY', graph, 'MATCH (n) RETURN count(n)'] },
    { what: `edges of graph ${graph}`, words: ['GRAPH.RO_QUERY', graph, 'MATCH ()-[e]->() RETURN count(e)'] },
  ]);
  if (questions.length === 0) return {};
  const replies = await client.ask(
    questions.map(({ words }) => words),
    signal,
  );
  const sizes: Record<string, number> = {};
  for (const [i, reply] of replies.entries()) {
    const [, count] = /^count\(\w\)\n(\d+)$/m.exec(reply.text) ?? []; // A heading, the number, then statistics.
    const what = questions[i]?.what;
    if (what !== undefined && count !== undefined) sizes[what] = Number(count);
  }
  return sizes;
}
