import { posix } from 'node:path';
import type { Container, Mount } from '../domain/types.ts';

/** Where a path of a container lies, seen from outside. */
export type Location =
  /** In a volume or a bind mount, which a helper can mount as well; `inside` begins with a slash. */
  | { readonly kind: 'mount'; readonly mount: Mount; readonly inside: string }
  /** Where only the container itself and the Engine's archive calls reach; `why` says what it is. */
  | { readonly kind: 'within'; readonly why: string };

/** Bind mounts of the host's own insides: what lies there is not the app's. */
const hostFolders = ['/proc', '/sys', '/dev', '/run', '/var/run', '/etc', '/boot', '/usr', '/var/lib/docker'];

export function locate(container: Container, path: string): Location {
  const clean = posix.normalize(path);
  const [mount] = container.mounts
    .filter(({ target }) => isWithin(clean, target))
    .sort((a, b) => b.target.length - a.target.length);
  if (!mount) return { kind: 'within', why: "in the container's own layer" };
  if (mount.target === clean) return { kind: 'within', why: 'mounted as a single file' };
  if (!isShareable(mount)) return { kind: 'within', why: `in a mount of type ${mount.type}` };
  const inside = mount.target === '/' ? clean : clean.slice(mount.target.length);
  return { kind: 'mount', mount, inside };
}

/** Mounts that may hold data of the app: writable, and a part of the app rather than of the host. */
export function searchable(container: Container): readonly Mount[] {
  return container.mounts.filter((mount) => isShareable(mount) && !mount.readOnly && !isOfHost(mount));
}

/** Whether `path` is `folder` or lies below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

/** Whether a helper can mount it as well. */
export function isShareable({ type, name, source }: Mount): boolean {
  return type === 'volume' ? name !== undefined && name !== '' : type === 'bind' && source !== undefined;
}

/** Whether it is a part of the host, or of what Compose and Docker need, rather than of the app. */
export function isOfHost({ type, source = '', target }: Mount): boolean {
  if (type !== 'bind') return false;
  const isPlumbing = target.endsWith('.sock') || isWithin(target, '/run/secrets') || isWithin(target, '/etc');
  return isPlumbing || source === '/' || hostFolders.some((folder) => isWithin(source, folder));
}
