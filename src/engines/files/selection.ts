import { posix } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { TreeRules } from '../../domain/tree-rules.ts';
import type { Container, Mount } from '../../domain/types.ts';
import { isOfHost, isShareable, isWithin, locate } from '../location.ts';
import type { MountLocation } from './inside.ts';
import type { FilesOptions } from './options.ts';

/** A folder that is saved as one archive. */
export interface Folder {
  /** In the container. */
  readonly path: string;
  readonly location: MountLocation;
  readonly rules: TreeRules;
}

/** Something in the container that another source saves. */
export interface Saved {
  readonly path: string;
  /** The data folder of a server, not a file that lies among others. */
  readonly isFolder: boolean;
  /** Name of that source. */
  readonly by: string;
}

export interface Selection {
  readonly folders: readonly Folder[];
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** The folders that the options name, and why each other mount is left out. */
export function select(container: Container, options: FilesOptions, saved: readonly Saved[]): Selection {
  const isAll = options.paths.length === 1 && options.paths[0] === 'all';
  const paths = isAll
    ? container.mounts.map(({ target }) => target)
    : options.paths.map((item) => named(container, item));
  const folders: Folder[] = [];
  const left: { name: string; why: string }[] = [];
  for (const path of [...new Set(paths)].sort()) {
    const location = locate(container, `${path === '/' ? '' : path}/x`);
    const mount = container.mounts.find(({ target }) => target === path);
    const why = mount && reasonToLeave(mount, isAll, saved);
    if (location.kind !== 'mount' || why !== undefined)
      left.push({ name: whatIs(mount, path), why: why ?? (location.kind === 'within' ? location.why : '') });
    else folders.push(folderAt(path, location, options, saved));
  }
  if (!isAll) {
    for (const mount of container.mounts.filter(({ target }) => !folders.some(({ path }) => isWithin(target, path)))) {
      if (!folders.some(({ path }) => isWithin(path, mount.target)))
        left.push({
          name: whatIs(mount, mount.target),
          why: reasonToLeave(mount, true, saved) ?? 'lifeboat.files does not name it',
        });
    }
  }
  return { folders, left: left.filter(({ name }, i) => left.findIndex((other) => other.name === name) === i) };
}

/** What of a folder other sources save, with the files that SQLite keeps beside a database. */
export function savedIn(folder: string, saved: readonly Saved[]): readonly string[] {
  const inside = saved.filter(({ path }) => path !== folder && isWithin(path, folder));
  return inside.flatMap(({ path }) => {
    const relative = posix.relative(folder, path);
    return [relative, ...['-wal', '-shm', '-journal'].map((side) => `${relative}${side}`)];
  });
}

// --- utils ---

function folderAt(
  path: string,
  { mount, inside }: MountLocation,
  options: FilesOptions,
  saved: readonly Saved[],
): Folder {
  const { include = [], exclude = [] } = options;
  return {
    path,
    location: { kind: 'mount', mount, inside: posix.dirname(inside) },
    rules: { folder: path, include, exclude, leave: savedIn(path, saved) },
  };
}

/** The path in the container that a person means by a volume, a mount or a path. */
function named(container: Container, item: string): string {
  const { mounts, service, stack } = container;
  const volume = mounts.find(({ type, name }) => type === 'volume' && (name === item || name === `${stack}_${item}`));
  const path = volume?.target ?? (item.startsWith('/') ? posix.resolve(item) : undefined);
  const isThere = path !== undefined && locate(container, `${path === '/' ? '' : path}/x`).kind === 'mount';
  if (isThere) return path;
  const has = mounts.filter(isShareable).map(({ target }) => target);
  throw new LifeboatError(
    'SOURCE_NOT_FOUND',
    path === undefined
      ? `${service} mounts no volume ${item}`
      : `${item} is in no volume or bind mount of ${service}: only those are saved`,
    {
      hint: `name volumes, mount targets or paths in them with lifeboat.files${has.length > 0 ? `; there are ${has.join(', ')}` : ''}`,
    },
  );
}

/** Undefined when it is to be saved. What a person names is saved although the service may only read it. */
function reasonToLeave(mount: Mount, isAll: boolean, saved: readonly Saved[]): string | undefined {
  const { type, source = '', target, readOnly } = mount;
  if (type === 'tmpfs') return 'in memory: it is gone with the container';
  if (source.endsWith('docker.sock') || target.endsWith('docker.sock')) return 'the socket of Docker';
  if (isWithin(target, '/run/secrets')) return 'secrets are not copied';
  if (!isShareable(mount)) return 'a kind of mount that a helper cannot share';
  if (isOfHost(mount)) return 'a part of the host, not of the app';
  const owner = saved.find(
    ({ path, isFolder }) => isWithin(target, path) || (isAll && isFolder && isWithin(path, target)),
  );
  if (owner) return `saved by ${owner.by}`;
  if (isAll && readOnly) return 'the service only reads it; name it in lifeboat.files to save it all the same';
  return undefined;
}

function whatIs(mount: Mount | undefined, path: string): string {
  if (mount?.type === 'volume') return `volume ${mount.name ?? ''} at ${path}`;
  if (mount?.type === 'bind') return `folder ${mount.source ?? ''} at ${path}`;
  return path;
}
