import type { Command, HelperMount } from '../../domain/shell.ts';
import type { Container, Mount } from '../../domain/types.ts';

/** Where a folder of a container lies: on one of its mounts, or in its own writable layer. */
export type FolderPlace = { readonly kind: 'mount'; readonly mount: Mount } | { readonly kind: 'layer' };

/** The mount that holds the folder is the innermost one above it. */
export function placeOf(container: Pick<Container, 'mounts'>, folder: string): FolderPlace {
  const above = container.mounts.filter(({ target }) => isWithin(folder, target));
  const mount = above.toSorted((a, b) => b.target.length - a.target.length)[0];
  return mount ? { kind: 'mount', mount } : { kind: 'layer' };
}

/** Whether a helper can have the same folder: a tmpfs belongs to its container alone. */
export function isShared(place: FolderPlace): place is Extract<FolderPlace, { kind: 'mount' }> {
  return place.kind === 'mount' && (place.mount.type === 'volume' || place.mount.type === 'bind');
}

/** Tells this data set from any other of this host: the storage it lies in, which outlives containers. */
export function identityOf(container: Pick<Container, 'id' | 'mounts'>, folder: string): string {
  const place = placeOf(container, folder);
  if (!isShared(place)) return `container ${container.id} ${folder}`;
  const { type, name, source, target } = place.mount;
  return `${type} ${type === 'volume' ? name : source} ${folder.slice(target.length) || '/'}`;
}

/**
 * A helper of the container's own image that sees the folder under the same path as the container does, for a server that
 * runs as `owner`. One that runs as root need not own its folder: a shell that starts it passes by the image's entrypoint.
 */
export function beside(
  mount: Mount,
  owner: string,
  memoryBytes?: number,
): NonNullable<Command['place']> & { readonly mounts: readonly HelperMount[] } {
  const mounts = [{ mount, target: mount.target, readOnly: false }];
  const capabilities = owner.startsWith('0:') ? ['DAC_OVERRIDE'] : [];
  return {
    kind: 'helper',
    network: 'none',
    mounts,
    capabilities,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
  };
}

/** Whether a path is the folder or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
