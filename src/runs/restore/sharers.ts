import { posix } from 'node:path';
import { dependants, stopOrder } from '../../domain/order.ts';
import type { Container, ContainerState, Mount } from '../../domain/types.ts';

/** Those of a paused container go on with the files they hold open, and one in a restart loop is about to open them. */
const awake: ReadonlySet<ContainerState> = new Set(['running', 'paused', 'restarting']);

/**
 * The containers that have one of these paths of the owner in a mount of theirs as well: whatever they hold open there
 * stays the old file when another one takes its name, so that their writes go nowhere and they read what is gone.
 */
export function sharersOf(
  owner: Container,
  replaced: readonly string[],
  others: readonly Container[],
): readonly Container[] {
  const spots = replaced.flatMap((path) => spotOf(owner, path) ?? []);
  return others.filter(
    ({ id, state, mounts }) =>
      id !== owner.id && awake.has(state) && mounts.some((mount) => spots.some((spot) => shows(mount, spot))),
  );
}

/** What is out of the way while the owner's data is replaced, in this order: sharers, and what depends on any of them. */
export function stopsFor(
  owner: Container,
  sharers: readonly Container[],
  stack: readonly Container[],
): readonly Container[] {
  const services = [owner, ...sharers].map(({ service }) => service);
  const running = services.flatMap((service) => dependants(service, stack)).filter(({ state }) => state === 'running');
  const byId = new Map([...running, ...sharers].map((container) => [container.id, container]));
  byId.delete(owner.id);
  return stopOrder([...byId.values()]);
}

// --- utils ---

/** A place outside of any container: in a volume, or without one on the host. */
interface Spot {
  readonly volume: string | undefined;
  readonly path: string;
}

/** The mount that holds a path is the innermost one above it. */
function spotOf({ mounts }: Container, path: string): Spot | undefined {
  const clean = posix.resolve('/', path);
  const above = mounts.filter(({ target }) => isWithin(clean, target));
  const mount = above.toSorted((a, b) => b.target.length - a.target.length)[0];
  const root = mount && rootOf(mount);
  return root && { ...root, path: posix.join(root.path, clean.slice(mount.target.length)) };
}

/** Whoever has the whole host mounted watches that, and uses no data of an app. */
function rootOf({ type, name, source, subpath }: Mount): Spot | undefined {
  if (type === 'volume' && name) return { volume: name, path: posix.resolve('/', subpath ?? '') };
  if (type === 'bind' && source && source !== '/') return { volume: undefined, path: posix.resolve(source) };
  return undefined;
}

/** A mount may be of a folder above, or of something within what is replaced. */
function shows(mount: Mount, spot: Spot): boolean {
  const root = rootOf(mount);
  if (root?.volume !== spot.volume || !root) return false;
  return isWithin(spot.path, root.path) || isWithin(root.path, spot.path);
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
