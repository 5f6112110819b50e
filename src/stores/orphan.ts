import { asLifeboatError, isLifeboatError } from '../domain/errors.ts';
import { isBackupId } from '../domain/naming.ts';
import { manifestFile, type Store } from './store.ts';

/**
 * Removes the objects of backup folders without a manifest whose newest object is older than asked for: what a writer
 * killed before publishing, or a removal cut short, left behind. For stores that cannot hide a folder being written.
 */
export async function removeOrphans(store: Store, olderThanMs: number, signal: AbortSignal): Promise<string[]> {
  const removed: string[] = [];
  for (const stack of await store.folders('', signal)) {
    // Dot folders are not backups: leases, restic repositories.
    if (stack.startsWith('.')) continue;
    for (const [folder, { keys, newestMs }] of await unfinishedBelow(store, `${stack}/`, signal)) {
      if (newestMs > Date.now() - olderThanMs || (await isComplete(store, folder, signal))) continue;
      for (const key of keys) {
        await store.remove(key, signal);
        removed.push(key);
      }
    }
  }
  return removed;
}

interface Unfinished {
  readonly keys: string[];
  readonly newestMs: number;
}

async function unfinishedBelow(store: Store, prefix: string, signal: AbortSignal): Promise<Map<string, Unfinished>> {
  const folders = new Map<string, Unfinished>();
  const complete = new Set<string>();
  for await (const { key, modifiedAt } of store.list(prefix, signal)) {
    if (signal.aborted) throw asLifeboatError(signal.reason);
    const [stack, service, source, id, ...file] = key.split('/');
    if (id === undefined || !isBackupId(id) || file.length === 0) continue;
    const folder = [stack, service, source, id].join('/');
    if (file.join('/') === manifestFile) complete.add(folder);
    const known = folders.get(folder) ?? { keys: [], newestMs: 0 };
    known.keys.push(key);
    folders.set(folder, { keys: known.keys, newestMs: Math.max(known.newestMs, modifiedAt.getTime()) });
  }
  for (const folder of complete) folders.delete(folder);
  return folders;
}

/** Asks for the manifest itself: a listing that missed one object must not cost a backup. */
async function isComplete(store: Store, folder: string, signal: AbortSignal): Promise<boolean> {
  try {
    (await store.get(`${folder}/${manifestFile}`, signal)).destroy();
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return false;
    throw error;
  }
}
