import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { existsHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { consuming } from './body.ts';
import { checkKey, partialName } from './key.ts';
import { codeOf, onDisk } from './local-error.ts';
import { writeWhole } from './local-file.ts';
import { folderMode, makeFolder, removeEmpty, syncFolder, syncTree } from './local-folder.ts';
import { refreshLatest } from './local-latest.ts';
import { type Confirmation, type Draft, manifestFile } from './store.ts';

/** Opens a backup's folder under a hidden name; one rename makes it visible as a whole. */
export async function openDraft(root: string, prefix: string, signal: AbortSignal): Promise<Draft> {
  const final = join(root, prefix);
  const parent = dirname(final);
  const partial = join(parent, partialName(basename(final)));
  await onDisk('create', partial, () => create(root, parent, partial, final, signal));

  let state: 'open' | 'moved' | 'published' | 'discarded' = 'open';
  const fileIn = (name: string): string => {
    checkKey(name);
    if (state !== 'open') throw new LifeboatError('INTERNAL', `the draft ${prefix} was published or discarded before`);
    return join(partial, name);
  };
  const put: Draft['put'] = (name, body, options, until) =>
    consuming(body, async () => {
      const path = fileIn(name);
      // Below the draft's own folder only: should a sweep have taken that away, what was put before is lost as well.
      await onDisk('create', dirname(path), () => makeFolder(partial, dirname(path)));
      // Two names may be one on this disk, if it takes upper and lower case for the same.
      return writeWhole(path, body, { ...options, ifAbsent: true }, until);
    });
  const move = async (): Promise<void> => {
    await syncTree(partial);
    try {
      await rename(partial, final);
    } catch (error) {
      throw ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(codeOf(error) ?? '') ? exists(prefix, error) : error;
    }
    state = 'moved';
    await syncFolder(parent);
  };

  return {
    put,
    async publish(manifest, until): Promise<Confirmation> {
      const confirmation = await put(manifestFile, manifest, { ifAbsent: true }, until);
      await onDisk('publish', final, move);
      state = 'published';
      // The backup stands; the link is a convenience that the next publish puts right.
      await refreshLatest(parent).catch(() => undefined);
      return confirmation;
    },
    discard: () =>
      onDisk('remove', partial, async () => {
        if (state === 'published' || state === 'discarded') return;
        // Hidden first, so that no half of it is ever seen.
        if (state === 'moved') await rename(final, partial);
        state = 'discarded';
        await rm(partial, { recursive: true, force: true });
        await removeEmpty(root, parent);
      }),
  };
}

async function create(root: string, parent: string, partial: string, final: string, signal: AbortSignal) {
  if (signal.aborted) throw asLifeboatError(signal.reason);
  for (let attempt = 1; ; attempt++) {
    await makeFolder(root, parent);
    try {
      if (await stat(final).then(() => true, missing)) throw exists(final);
      return await mkdir(partial, { mode: folderMode });
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw exists(final, error);
      // A removal next door may take the empty parent away between the two steps.
      if (codeOf(error) !== 'ENOENT' || attempt === 3) throw error;
    }
  }
}

function missing(error: unknown): false {
  if (codeOf(error) === 'ENOENT') return false;
  throw error;
}

function exists(prefix: string, cause?: unknown): LifeboatError {
  return new LifeboatError('OBJECT_EXISTS', `the backup folder ${prefix} is there already`, {
    hint: existsHint,
    cause,
  });
}
