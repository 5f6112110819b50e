import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { DatabaseFile } from './file.ts';
import type { SqliteOptions } from './options.ts';
import type { Tool } from './tools.ts';

/** How one database is copied. */
export type Way =
  /** Online, by a helper of ours that mounts what the app mounts. */
  | { readonly how: 'helper' }
  /** Online, by a program of the app's own container. */
  | { readonly how: 'tool'; readonly tool: Tool }
  /** The files themselves, while the container is paused. */
  | { readonly how: 'pause' };

/**
 * File systems on which the locks and the shared memory of SQLite are known to work between containers: those of this
 * kernel alone. On any other (NFS, FUSE, virtiofs, 9p, …) another machine may write as well.
 */
const localFileSystems = /^(ext2\/ext3|xfs|btrfs|zfs|tmpfs|ramfs|overlayfs|f2fs|bcachefs|jfs|reiserfs|nilfs)$/;

export function chooseWay(
  shell: Shell,
  file: DatabaseFile,
  method: SqliteOptions['method'],
  hasHelper: boolean,
  tool: Tool | undefined,
): Way {
  if (method === 'pause') return { how: 'pause' };
  const { location, path } = file;
  if (location.kind === 'mount' && location.mount.readOnly) {
    throw new LifeboatError(
      'SOURCE_NOT_FOUND',
      `${path} is on a mount that service ${shell.container.service} may only read`,
      {
        hint: 'put lifeboat.sqlite on the service that writes the database',
      },
    );
  }
  const foreign = foreignFileSystem(file);
  if (!foreign && location.kind === 'mount' && hasHelper) return { how: 'helper' };
  if (!foreign && tool) return { how: 'tool', tool };
  if (method === 'auto') return { how: 'pause' };
  throw new LifeboatError(
    'TOOL_MISSING',
    `${path} cannot be copied while the app writes: ${whyNotOnline(file, foreign)}`,
    {
      hint: 'remove lifeboat.sqlite.method: online, or put the database into a volume',
    },
  );
}

function whyNotOnline({ location }: DatabaseFile, foreign: string | undefined): string {
  if (foreign) return `locks on ${foreign} cannot be trusted`;
  const where = location.kind === 'within' ? location.why : 'in a mount, but no helper may be made';
  return `it is ${where}, and the container has no sqlite3, python3 or Node 24`;
}

function foreignFileSystem({ location, fileSystem }: DatabaseFile): string | undefined {
  if (location.kind === 'within' || fileSystem === undefined || localFileSystems.test(fileSystem)) return undefined;
  return fileSystem;
}
