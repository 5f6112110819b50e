import { posix } from 'node:path';
import { isLifeboatError } from '../../domain/errors.ts';
import type { HelperMount, Shell } from '../../domain/shell.ts';
import type { Mount } from '../../domain/types.ts';
import { isWithin, locate } from '../location.ts';
import { isHelperRefusal, mayMakeHelpers } from './bench.ts';
import { peek } from './peek.ts';
import type { Seen } from './seen.ts';
import { type Look, lookCommand, nothing, parseSight, type Sight } from './sight.ts';

/** What was seen, and whether helpers of our own image may be made. */
export interface View extends Sight {
  readonly hasHelper: boolean;
}

/** Looks from a helper that mounts what the container mounts, read-only, and into the rest from within the container. */
export async function look(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<View> {
  const groups = Map.groupBy(wanted, ({ what, path }) => mountOf(shell, what, path) !== undefined);
  const outside = await lookFromHelper(shell, groups.get(true) ?? [], signal).catch((error: unknown) => {
    if (!isHelperRefusal(error)) throw error;
    return undefined; // Everything is looked at from within.
  });
  const rest = outside ? (groups.get(false) ?? []) : wanted;
  const inside = await lookWithin(shell, rest, signal);
  const views = outside ? [outside, inside] : [inside];
  const hasHelper = outside === nothing ? await mayMakeHelpers(shell, signal) : outside !== undefined;
  return {
    seen: views.flatMap(({ seen }) => seen),
    late: views.flatMap(({ late }) => late),
    unreachable: views.flatMap(({ unreachable }) => unreachable),
    hasHelper,
    tool: views.map(({ tool }) => tool).find((version) => version !== undefined),
  };
}

async function lookFromHelper(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<Sight> {
  const mounts = [...new Set(wanted.map(({ what, path }) => mountOf(shell, what, path)))].filter(
    (m) => m !== undefined,
  );
  if (mounts.length === 0) return nothing;
  const targets = new Map(mounts.map((mount, i) => [mount, `/source${i}`]));
  const outside = ({ what, path }: Look): string => {
    const mount = mountOf(shell, what, path);
    return mount ? posix.join(targets.get(mount) ?? '', posix.relative(mount.target, path)) : path;
  };
  const helperMounts: HelperMount[] = mounts.map((mount, i) => ({ mount, target: `/source${i}`, readOnly: true }));
  const printed = await shell.text(
    {
      ...lookCommand(wanted.map((entry) => ({ ...entry, path: outside(entry) }))),
      place: { kind: 'helper', image: 'own', mounts: helperMounts, capabilities: ['DAC_READ_SEARCH'] },
    },
    signal,
  );
  return parseSight(printed, (path) => {
    const [mount, target = ''] = [...targets].find(([, each]) => isWithin(path, each)) ?? [];
    if (!mount) return undefined;
    const inContainer = posix.join(mount.target, path.slice(target.length));
    // What lies under a nested mount is hidden from the app, though not from the helper.
    const location = locate(shell.container, inContainer);
    return inContainer === mount.target || (location.kind === 'mount' && location.mount === mount)
      ? inContainer
      : undefined;
  });
}

async function lookWithin(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<Sight> {
  if (wanted.length === 0) return nothing;
  try {
    return parseSight(await shell.text(lookCommand(wanted), signal), (path) => posix.normalize(path));
  } catch (error) {
    // Without a shell in it, or while it does not run, named files can still be taken out through the Engine.
    if (!isLifeboatError(error, 'TOOL_MISSING', 'SOURCE_NOT_RUNNING')) throw error;
    const files = wanted.filter(({ what }) => what === 'file');
    const seen: Seen[] = [];
    for (const { path } of files) seen.push(await peek(shell, path, signal));
    const unreachable = wanted
      .filter((entry) => !files.includes(entry))
      .map(({ path }) => ({ path, why: `it cannot be searched (${error.message}); name each file` }));
    return { ...nothing, seen, unreachable };
  }
}

/** The mount through which a helper sees it; for a folder also when it is the mount's own root. */
function mountOf(shell: Shell, what: Look['what'], path: string): Mount | undefined {
  const location = locate(shell.container, what === 'file' ? path : `${path}/x`);
  return location.kind === 'mount' ? location.mount : undefined;
}
