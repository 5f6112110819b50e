import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { existsHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { consuming } from './body.ts';
import { checkKey, isTemporary, partialName } from './key.ts';
import { codeOf, onDisk } from './local-error.ts';
import { readFound, writeWhole } from './local-file.ts';
import { folderMode, makeFolder, removeEmpty, syncFolder, syncTree } from './local-folder.ts';
import { refreshLatest } from './local-latest.ts';
import { type Confirmation, type Draft, type DraftOptions, manifestFile } from './store.ts';

/** Opens a backup's folder under a hidden name; one rename makes it visible as a whole. */
export async function openDraft(
  root: string,
  prefix: string,
  { resume = false }: DraftOptions,
  signal: AbortSignal,
): Promise<Draft> {
  const final = join(root, prefix);
  const parent = dirname(final);
  const partial = join(parent, partialName(basename(final)));
  await onDisk('create', partial, () => create(root, parent, partial, final, resume, signal));

  let state: 'open' | 'moved' | 'published' | 'left' | 'discarded' = 'open';
  const fileIn = (name: string): string => {
    checkKey(name);
    if (state !== 'open') throw new LifeboatError('INTERNAL', `the draft ${prefix} was ended before`);
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
    async get(name, until) {
      const path = fileIn(name);
      return onDisk('read', path, () => readFound(partial, path, until));
    },
    async publish(manifest, until): Promise<Confirmation> {
      const confirmation = await put(manifestFile, manifest, { ifAbsent: true }, until);
      await onDisk('publish', final, move);
      state = 'published';
      // The backup stands; the link is a convenience that the next publish puts right.
      await refreshLatest(parent).catch(() => undefined);
      return confirmation;
    },
    leave() {
      if (state === 'open') state = 'left';
    },
    discard: () =>
      onDisk('remove', partial, async () => {
        if (state === 'published' || state === 'left' || state === 'discarded') return;
        // Hidden first, so that no half of it is ever seen.
        if (state === 'moved') await rename(final, partial);
        state = 'discarded';
        await rm(partial, { recursive: true, force: true });
        await removeEmpty(root, parent);
      }),
  };
}

async function create(
  root: string,
  parent: string,
  partial: string,
  final: string,
  resume: boolean,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) throw asLifeboatError(signal.reason);
  for (let attempt = 1; ; attempt++) {
    await makeFolder(root, parent);
    try {
      if (await stat(final).then(() => true, missing)) throw exists(final);
      await mkdir(partial, { mode: folderMode });
      return;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') {
        if (!resume) throw exists(final, error);
        return await removeUnfinished(partial);
      }
      // A removal next door may take the empty parent away between the two steps.
      if (codeOf(error) !== 'ENOENT' || attempt === 3) throw error;
    }
  }
}

/** A killed writer leaves temporaries, and a manifest that was never published. */
async function removeUnfinished(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const isManifest = entry.name === manifestFile && entry.parentPath === folder;
    if (isManifest || isTemporary(entry.name)) await rm(join(entry.parentPath, entry.name));
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
