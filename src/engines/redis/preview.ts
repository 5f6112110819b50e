import type { Manifest } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { factsIn, type RdbFacts } from './facts.ts';
import { keyspaceOf, numberIn } from './info.ts';
import type { RedisOptions } from './options.ts';
import { placeOf } from './place.ts';
import { meet, type Present } from './present.ts';

export const noBeside =
  'a restore under another name is not possible: a server of this kind has one data set; restore it into another service with --to';

export async function preview(
  shell: Shell,
  manifest: Manifest,
  target: RestoreTarget,
  options: RedisOptions,
  signal: AbortSignal,
): Promise<RestorePreview> {
  const { facts } = factsIn(manifest);
  const present = await meet(shell, options, facts, signal);
  const { name } = shell.container;
  const { folder, appendonly } = present.layout;
  const keys = Object.entries(countsIn(manifest)).filter(([what]) => /^keys of db\d+$/.test(what));
  const brings = keys.map(([what, count]) => `${count} ${what}`).join(', ') || 'an empty data set';
  return {
    lines: [
      `replace ${describePresent(present)} by ${brings}`,
      ...(present.live ? [`stop ${name} for the switch and start it again`] : [`${name} does not run and stays so`]),
      `keep the present data beside it in ${folder}`,
      ...(appendonly ? ['write the append-only file anew from it'] : []),
    ],
    refusals: refusalsOf(shell, manifest, facts, target, present),
    warnings: warningsOf(manifest, facts, present),
    replaces: [folder],
  };
}

/** Why this backup must not or cannot be restored here. */
export function refusalsOf(
  shell: Shell,
  manifest: Manifest,
  facts: RdbFacts,
  target: RestoreTarget,
  { layout, live }: Present,
): string[] {
  const refusals: string[] = [];
  const here = live ? `${live.server.product} ${live.server.version}` : shell.container.image;
  if (target.as !== undefined) refusals.push(noBeside);
  if (live?.server.info.get('role') === 'slave') {
    refusals.push(
      `${shell.container.name} is a replica and would take over its primary's data again; restore the primary`,
    );
  }
  const place = placeOf(shell.container, layout.folder);
  const isFleeting = place.kind === 'mount' && (place.mount.type === 'tmpfs' || place.mount.type === 'other');
  if (isFleeting || live?.server.isInMemory) {
    refusals.push(`its folder ${layout.folder} is in memory and is lost when the container stops`);
  }
  if (place.kind === 'mount' && place.mount.readOnly) refusals.push(`its folder ${layout.folder} is mounted read-only`);
  const reads = live?.server.rdbVersion;
  if (reads !== undefined && facts.rdbVersion !== undefined && facts.rdbVersion > reads) {
    const from = `${manifest.server.product} ${manifest.server.version}`;
    refusals.push(
      `the backup is of ${from}, RDB version ${facts.rdbVersion}; ${here} reads only up to version ${reads}`,
    );
  }
  const counts = countsIn(manifest);
  const used = Object.keys(counts).flatMap((what) => /^keys of db(\d+)$/.exec(what)?.[1] ?? []);
  const highest = Math.max(-1, ...used.map(Number));
  if (highest >= layout.databases) {
    refusals.push(`the backup has keys in database ${highest}, ${here} is set up for ${layout.databases} databases`);
  }
  return live ? [...refusals, ...missingModules(counts, facts, live.server.layout.modules, here)] : refusals;
}

function missingModules(
  counts: Readonly<Record<string, number>>,
  facts: RdbFacts,
  loaded: RdbFacts['layout']['modules'] | Present['layout']['modules'],
  here: string,
): string[] {
  const hasModuleData = Object.keys(counts).some((what) => /^(?:keys of module|data of module)/.test(what));
  if (!hasModuleData) return [];
  return facts.layout.modules.flatMap(({ name, version }) => {
    const found = loaded.find((module) => module.name === name);
    if (!found) return [`the backup holds data of the module ${name}, which ${here} has not loaded`];
    if (found.version >= version) return [];
    return [`the backup is of module ${name} version ${version}, ${here} has only ${found.version}`];
  });
}

function warningsOf(manifest: Manifest, facts: RdbFacts, { live }: Present): string[] {
  if (!live) return ['the server does not run, so its version and modules were not compared with the backup'];
  const { server } = live;
  const warnings: string[] = [];
  if (server.product !== manifest.server.product || server.version !== manifest.server.version) {
    const { product, version } = manifest.server;
    warnings.push(`the backup is of ${product} ${version}, this server is ${server.product} ${server.version}`);
  }
  if (numberIn(server.info, 'cluster_enabled') === 1) {
    warnings.push('the server is a node of a cluster: it must own the slots that the backup holds');
  }
  const replicas = numberIn(server.info, 'connected_slaves') ?? 0;
  if (replicas > 0) warnings.push(`${many(replicas, 'replica')} will take over the restored data`);
  const usedBytes = facts.usedBytes ?? 0;
  const limit = numberIn(server.info, 'maxmemory') ?? 0;
  if (limit > 0 && usedBytes > limit) {
    warnings.push(`the data took ${usedBytes} bytes of memory, this server may use ${limit}: it may drop keys`);
  }
  return warnings;
}

function describePresent({ live, layout }: Present): string {
  if (!live) return `what lies in ${layout.folder}`;
  const keys = [...keyspaceOf(live.server.info).values()].reduce((sum, entry) => sum + entry.keys, 0);
  return keys === 0 ? 'the empty data set' : `all ${keys} present keys`;
}

/** What was read from the dump when it was proved. */
function countsIn(manifest: Manifest): Readonly<Record<string, number>> {
  const counts = manifest.artifacts.flatMap((artifact) => artifact.counts);
  return Object.assign({}, ...counts.filter(({ how }) => how === 'dump').map(({ objects }) => objects));
}
