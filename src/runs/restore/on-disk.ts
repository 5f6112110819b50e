import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { openArtifact, saveArtifact } from '../../codecs/artifact.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { OnDisk, Scratch, Shell } from '../../domain/shell.ts';
import type { RestoreSource } from '../../engines/engine.ts';
import type { Store } from '../../stores/store.ts';

/** The artifacts of a backup in one destination, of which some can be decoded into files that helpers mount. */
export interface Unpacked extends RestoreSource, AsyncDisposable {
  /**
   * Decodes an artifact into a file; from then on its bytes come from there. False when there is no place for it, no room,
   * or when it failed for whatever reason: the bytes then come from the destination, and so does the reason.
   */
  unpack(artifact: Artifact, signal: AbortSignal): Promise<boolean>;
  /** Removes the file again. */
  drop(artifact: Artifact): Promise<void>;
}

export function unpacked(store: Pick<Store, 'get'>, manifest: Manifest, shell: Pick<Shell, 'scratch'>): Unpacked {
  const files = new Map<string, Scratch>();
  const prefix = backupPrefix(manifest, manifest.id);
  const stored = (file: string, signal: AbortSignal) => store.get(`${prefix}/${file}`, signal);
  return {
    manifest,
    open: async (artifact, signal) => {
      const scratch = files.get(artifact.file);
      return scratch ? readerOf(scratch) : openArtifact(artifact, stored, signal);
    },
    unpack: async (artifact, signal) => {
      const scratch = await shell.scratch(artifact.plainBytes);
      if (!scratch) return false;
      try {
        await saveArtifact(artifact, stored, scratch.path, signal);
      } catch {
        await scratch[Symbol.asyncDispose]();
        signal.throwIfAborted();
        return false;
      }
      files.set(artifact.file, scratch);
      return true;
    },
    drop: async ({ file }) => {
      await files.get(file)?.[Symbol.asyncDispose]();
      files.delete(file);
    },
    [Symbol.asyncDispose]: async () => {
      for (const scratch of files.values()) await scratch[Symbol.asyncDispose]();
      files.clear();
    },
  };
}

/** Opens the file only when it is read: a helper that mounts it makes that unnecessary. */
function readerOf(scratch: Scratch): OnDisk {
  async function* bytes() {
    yield* createReadStream(scratch.path);
  }
  return Object.assign(Readable.from(bytes(), { objectMode: false }), { scratch });
}
