import { lstat, mkdir, open, readdir, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { codeOf } from './local-error.ts';

/**
 * Dumps hold whatever the databases hold: nobody outside may read them. The group may, so that a helper or a person of
 * the operator's choice can copy and restore backups without being root.
 */
export const folderMode = 0o750;
export const fileMode = 0o640;

/** Network and FUSE file systems that keep no order of their own refuse to sync folders; there is nothing to do then. */
const cannotSync = new Set(['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'EBADF', 'ENOSYS']);

/** Makes the names in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!cannotSync.has(codeOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Makes a folder below the root, durably. Never the root itself: a missing root is a disk that is not mounted. */
export async function makeFolder(root: string, folder: string): Promise<void> {
  await checkRoot(root);
  const first = await mkdir(folder, { recursive: true, mode: folderMode });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Rejects unless the root is a folder. */
export async function checkRoot(root: string): Promise<void> {
  if (!(await stat(root)).isDirectory()) {
    throw new LifeboatError('STORE_UNAVAILABLE', `${root} is a file, not a folder`, {
      hint: 'a bind mount of a path that is a file? name a folder',
    });
  }
}

/** Removes the folder and those above it, up to the root, as long as they are empty. */
export async function removeEmpty(root: string, folder: string): Promise<void> {
  for (let empty = folder; empty.startsWith(`${root}/`); empty = dirname(empty)) {
    try {
      await rmdir(empty);
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'EBUSY') return;
      if (code !== 'ENOENT') throw error;
    }
  }
}

/** Syncs everything below a folder and the folder itself, whoever wrote it. */
export async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    if (entry.isFile()) await syncFolder(path);
  }
  await syncFolder(folder);
}

/**
 * When anything in a tree last changed, in milliseconds. By the time of the inode's change: a modification time may be
 * copied from the file's original.
 */
export async function newestChange(path: string): Promise<number> {
  const { mtimeMs, ctimeMs } = await lstat(path);
  let newest = Math.max(mtimeMs, ctimeMs);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name);
    const changed = entry.isDirectory() ? await newestChange(below) : (await lstat(below)).ctimeMs;
    newest = Math.max(newest, changed);
  }
  return newest;
}
