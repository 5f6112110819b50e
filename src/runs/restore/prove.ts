import type { Artifact } from '../../domain/manifest.ts';
import type { Store } from '../../stores/store.ts';
import type { RunContext } from '../context.ts';
import { type Unpacked, unpacked } from './on-disk.ts';
import type { RestoreRequest } from './request.ts';

/**
 * Every artifact is read to its end through digests, decoders and the engine's prover, before anything is touched. What is
 * loaded from a file later is decoded into one now, and proved there.
 */
export async function proveCopy(
  context: RunContext,
  request: RestoreRequest,
  store: Store,
  signal: AbortSignal,
): Promise<Unpacked> {
  const { source, manifest } = request;
  const shell = context.shell(source.container, request.run, source.settings.stopGraceMs);
  await using held = new AsyncDisposableStack();
  const backup = held.use(unpacked(store, manifest, shell));
  for (const artifact of manifest.artifacts) {
    const prove = async () => {
      const plain = await backup.open(artifact, signal);
      await source.engine.prove(shell, { ...artifact, extension: '' }, plain, source.settings.options, signal);
    };
    const isOnDisk = wantsFile(request, artifact) && (await backup.unpack(artifact, signal));
    if (!isOnDisk) await prove();
    else {
      // A helper that cannot be made, or cannot read the file, says nothing about the backup: the old way decides.
      await prove().catch(async () => {
        signal.throwIfAborted();
        await backup.drop(artifact);
        await prove();
      });
    }
  }
  held.move();
  return backup;
}

// --- utils ---

/** Below this, a file and a helper cost more than they save. */
const fileFromBytes = 64 * 1024 ** 2;

function wantsFile({ source, only }: RestoreRequest, artifact: Artifact): boolean {
  const { engine, settings } = source;
  if (!engine.loadsFromFile?.({ ...artifact, extension: '' }) || settings.path === 'exec') return false;
  if (only && !only.includes(artifact.name)) return false;
  return settings.path === 'pipe' || artifact.plainBytes >= fileFromBytes;
}
