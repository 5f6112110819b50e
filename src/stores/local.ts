import { statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { asLifeboatError } from '../domain/errors.ts';
import { isBackupId } from '../domain/naming.ts';
import { consuming } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import { openDraft } from './local-draft.ts';
import { codeOf, onDisk } from './local-error.ts';
import { noFile, readFound, writeWhole } from './local-file.ts';
import { checkRoot, makeFolder, removeEmpty, syncFolder } from './local-folder.ts';
import { refreshLatest } from './local-latest.ts';
import { sweepFolder } from './local-sweep.ts';
import { foldersBelow, walk } from './local-walk.ts';
import { manifestFile, type Store } from './store.ts';

export interface LocalStoreOptions {
  /** An existing folder: a mounted disk, a bind mount, a volume. It is never created. */
  readonly root: string;
}

/** A store in a folder. Every file is synced, read back and named in one step; a backup appears by one rename. */
export function createLocalStore(options: LocalStoreOptions): Store {
  const root = resolve(options.root);
  const pathOf = (key: string): string => {
    checkKey(key);
    return join(root, key);
  };
  return {
    driver: 'local',
    location: pathToFileURL(root).href,
    put: (key, body, putOptions, signal) =>
      consuming(body, async () => {
        const path = pathOf(key);
        await onDisk('create', dirname(path), () => makeFolder(root, dirname(path)));
        return writeWhole(path, body, putOptions, signal);
      }),
    async get(key, signal) {
      const path = pathOf(key);
      return onDisk('read', path, () => readFound(root, path, signal));
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      try {
        await checkRoot(root);
        yield* walk(root, prefix, signal);
      } catch (error) {
        await onDisk('list', root, () => Promise.reject(error));
      }
    },
    async folders(prefix, signal) {
      checkPrefix(prefix);
      if (signal.aborted) throw asLifeboatError(signal.reason);
      return onDisk('list', join(root, prefix), async () => {
        await checkRoot(root);
        return foldersBelow(root, prefix);
      });
    },
    async remove(key, signal) {
      const path = pathOf(key);
      if (signal.aborted) throw asLifeboatError(signal.reason);
      await onDisk('remove', path, () => removeFile(root, path));
    },
    async draft(prefix, signal, draftOptions) {
      checkKey(prefix);
      return openDraft(root, prefix, draftOptions ?? {}, signal);
    },
    sweep: (olderThanMs, signal) => onDisk('sweep', root, () => sweepFolder(root, olderThanMs, signal)),
    freeBytes: () =>
      onDisk('measure', root, async () => {
        const { bavail, bsize } = await statfs(root);
        return bavail * bsize;
      }),
  };
}

async function removeFile(root: string, path: string): Promise<void> {
  await checkRoot(root);
  const folder = dirname(path);
  try {
    await unlink(path);
    // A manifest must be gone before the first of its artifacts is, also after a power cut.
    await syncFolder(folder);
  } catch (error) {
    if (!noFile.has(codeOf(error) ?? '')) throw error;
    // A put that failed may have left the folder it made for the file.
    if (codeOf(error) === 'ENOENT') await removeEmpty(root, folder);
    return;
  }
  if (basename(path) === manifestFile && isBackupId(basename(folder))) await refreshLatest(dirname(folder));
  await removeEmpty(root, folder);
}
