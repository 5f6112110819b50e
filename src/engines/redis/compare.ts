import { untouchedHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import { countRdb, keysAfterLoading, librariesOf } from './counts.ts';
import { type Info, keyspaceOf, numberIn, parseInfo } from './info.ts';
import type { RdbContent, RdbDatabase } from './rdb/walk.ts';
import type { Staged } from './stage.ts';

export interface Compared {
  /** One line each. */
  readonly checks: readonly string[];
  readonly warnings: readonly string[];
  /** Keys that any server which loads this later must have at least. */
  readonly leastKeys: number;
}

/** The loaded copy must hold what the file holds, and the file what the manifest says. Rejects RESTORE_FAILED. */
export function compareStaged({ rdb, report }: Staged, artifact: Artifact): Compared {
  const [infoText, functions, graphs] = report;
  const info = parseInfo(infoText);
  const loaded = [...keyspaceOf(info).values()];
  const keys = loaded.reduce((sum, entry) => sum + entry.keys, 0);
  const expires = loaded.reduce((sum, entry) => sum + entry.expires, 0);
  const counts = countRdb(rdb.content);
  const checks: string[] = [];
  if (counts) {
    compareCounts(counts.objects, artifact);
    compareLoads(rdb.content, info);
    checks.push(...compareDatabases(rdb.content, info));
    expect('function libraries', rdb.content.libraries, librariesOf(functions));
    if (rdb.content.libraries > 0)
      checks.push(
        `${rdb.content.libraries === 1 ? '1 function library' : `${rdb.content.libraries} function libraries`} as in the backup`,
      );
  } else {
    const [said] = artifact.counts.filter(({ how }) => how === 'dump').map(({ objects }) => objects.keys);
    if (keys === 0 && (said ?? 0) > 0) expect('keys', said ?? 0, keys);
    checks.push(`${many(keys, 'key')} loaded; the format is too new to compare more`);
  }
  const sizes = graphSizes(graphs);
  const expectedGraphs = counts?.objects.graphs;
  if (expectedGraphs !== undefined) {
    expect('graphs', expectedGraphs, sizes.size);
    checks.push(`${many(sizes.size, 'graph')} as in the backup`);
  }
  const vanishing = [...rdb.content.databases.values()].reduce((sum, { withFieldExpiry }) => sum + withFieldExpiry, 0);
  return { checks, warnings: graphWarnings(sizes, artifact), leastKeys: Math.max(0, keys - expires - vanishing) };
}

/** What was read now against what was read when the backup was proved. */
function compareCounts(found: Readonly<Record<string, number>>, artifact: Artifact): void {
  for (const { how, objects } of artifact.counts) {
    if (how !== 'dump') continue;
    for (const [what, count] of Object.entries(objects)) if (what in found) expect(what, count, found[what] ?? 0);
  }
}

/** The server's own count of what it read from the file (Redis 7 and later). */
function compareLoads({ databases }: RdbContent, info: Info): void {
  const loaded = numberIn(info, 'rdb_last_load_keys_loaded');
  const expired = numberIn(info, 'rdb_last_load_keys_expired');
  if (loaded === undefined || expired === undefined) return;
  const all = [...databases.values()];
  const written = all.reduce((sum, { keys }) => sum + keys, 0);
  const vanishing = all.reduce((sum, { withFieldExpiry }) => sum + withFieldExpiry, 0);
  if (loaded + expired > written || loaded + expired < written - vanishing) expect('keys', written, loaded + expired);
}

function compareDatabases({ databases, moduleTypes }: RdbContent, info: Info): string[] {
  const keyspace = keyspaceOf(info);
  const mayAdd = moduleTypes.size > 0; // A module may write keys of its own as soon as it is loaded.
  return Array.from(databases).flatMap(([number, database]) => {
    const most = keysAfterLoading(database);
    const found = keyspace.get(number)?.keys ?? 0;
    if ((found > most && !mayAdd) || found < most - mayBeGone(database)) expect(`keys of db${number}`, most, found);
    if (most === 0) return [];
    const gone = most <= found ? '' : `, ${most - found} expired meanwhile`;
    return [`db${number}: ${many(found, 'key')} as in the backup${gone}`];
  });
}

function mayBeGone({ expires, withFieldExpiry }: RdbDatabase): number {
  return expires + withFieldExpiry;
}

interface GraphSize {
  readonly nodes: number;
  readonly edges: number;
}

function graphSizes(report: string): ReadonlyMap<string, GraphSize> {
  const parts = report.matchAll(/^graph (.*)\ncount\(n\)\n(\d+)$[\s\S]*?^count\(e\)\n(\d+)$/gm);
  return new Map(
    Array.from(parts, ([, name = '', nodes, edges]) => [name, { nodes: Number(nodes), edges: Number(edges) }]),
  );
}

/** The server counted its graphs beside the save, not in it: a difference is worth a look, but no failure. */
function graphWarnings(sizes: ReadonlyMap<string, GraphSize>, artifact: Artifact): string[] {
  const told: Record<string, number> = Object.assign(
    {},
    ...artifact.counts.filter(({ how }) => how === 'catalogue').map(({ objects }) => objects),
  );
  return Array.from(sizes).flatMap(([name, { nodes, edges }]) => {
    const expected = { nodes: told[`nodes of graph ${name}`], edges: told[`edges of graph ${name}`] };
    if (expected.nodes === undefined || (expected.nodes === nodes && expected.edges === edges)) return [];
    return [
      `graph ${name} has ${nodes} nodes and ${edges} edges; the server had ${expected.nodes} and ${expected.edges} when it was saved`,
    ];
  });
}

function expect(what: string, expected: number, found: number): void {
  if (expected === found) return;
  throw new LifeboatError('RESTORE_FAILED', `the staged copy holds ${found} ${what} instead of ${expected}`, {
    hint: untouchedHint,
  });
}
