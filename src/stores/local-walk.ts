import { lstat, readdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { asLifeboatError } from '../domain/errors.ts';
import { isPartial, isTemporary } from './key.ts';
import { codeOf } from './local-error.ts';
import type { StoredObject } from './store.ts';

/** The file system's own folder at the top of a disk, which only root may read. */
export function isForeign(root: string, path: string): boolean {
  return path === join(root, 'lost+found');
}

/** All files below the root whose path starts with the prefix; symbolic links (`latest`) and unfinished files are no objects. */
export async function* walk(root: string, prefix: string, signal: AbortSignal): AsyncGenerator<StoredObject> {
  const start = prefix.endsWith('/') ? join(root, prefix) : dirname(join(root, `${prefix}x`));
  for await (const path of filesBelow(root, start, signal)) {
    const key = relative(root, path);
    if (!key.startsWith(prefix)) continue;
    const found = await lstat(path).catch(ignoreMissing);
    if (found) yield { key, bytes: found.size, modifiedAt: found.mtime };
  }
}

/** Names of the folders directly below a prefix. */
export async function foldersBelow(root: string, prefix: string): Promise<string[]> {
  const start = join(root, prefix);
  return (await entriesOf(start))
    .filter((entry) => entry.isDirectory() && !isPartial(entry.name) && !isForeign(root, join(start, entry.name)))
    .map((entry) => entry.name);
}

async function* filesBelow(root: string, folder: string, signal: AbortSignal): AsyncGenerator<string> {
  for (const entry of await entriesOf(folder)) {
    if (signal.aborted) throw asLifeboatError(signal.reason);
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !isPartial(entry.name) && !isForeign(root, path)) yield* filesBelow(root, path, signal);
    if (entry.isFile() && !isTemporary(entry.name)) yield path;
  }
}

/** What is removed while it is listed was there or was not: both are right. */
async function entriesOf(folder: string) {
  return (await readdir(folder, { withFileTypes: true }).catch(ignoreMissing)) ?? [];
}

function ignoreMissing(error: unknown): undefined {
  if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
  throw error;
}
