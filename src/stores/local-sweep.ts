import { access, lstat, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { asLifeboatError } from '../domain/errors.ts';
import { isBackupId } from '../domain/naming.ts';
import { isPartial, isTemporary, partialName } from './key.ts';
import { codeOf } from './local-error.ts';
import { newestChange, removeEmpty } from './local-folder.ts';
import { isForeign } from './local-walk.ts';
import { manifestFile } from './store.ts';

/** Removes old temporaries, partial folders and backup folders whose manifest is gone; returns what, relative to the root. */
export async function sweepFolder(root: string, olderThanMs: number, signal: AbortSignal): Promise<string[]> {
  const before = Date.now() - olderThanMs;
  const removed: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (signal.aborted) throw asLifeboatError(signal.reason);
      const path = join(folder, entry.name);
      if (isForeign(root, path)) continue;
      if (isTemporary(entry.name)) {
        if ((await lstat(path)).ctimeMs <= before) removed.push(await take(root, path));
      } else if (entry.isDirectory()) {
        if (await isAbandoned(path, entry.name, before)) removed.push(await take(root, path));
        else if (!isPartial(entry.name) && !isOthersTree(root, path)) await visit(path);
      }
    }
  };
  await visit(root);
  return removed;
}

async function isAbandoned(path: string, name: string, before: number): Promise<boolean> {
  const isUnfinished = isPartial(name) || (isBackupId(name) && (await isWithoutManifest(path)));
  return isUnfinished && (await newestChange(path)) <= before;
}

async function isWithoutManifest(path: string): Promise<boolean> {
  try {
    await access(join(path, manifestFile));
    return false;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true;
    throw error;
  }
}

/** Millions of files nobody here wrote as temporaries: restic's repository, the tree of a mirror backup. */
function isOthersTree(root: string, path: string): boolean {
  const [first, ...rest] = relative(root, path).split('/');
  return (first === '.restic' && rest.length === 0) || (rest.length === 4 && rest[3] === 'tree');
}

async function take(root: string, path: string): Promise<string> {
  const name = relative(root, path);
  let doomed = path;
  if (isBackupId(name.split('/').at(-1) ?? '')) {
    doomed = join(dirname(path), partialName(name.split('/').at(-1) ?? ''));
    await rename(path, doomed);
  }
  await rm(doomed, { recursive: true, force: true });
  await removeEmpty(root, dirname(path));
  return name;
}
