import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import type { SourceAddress } from '../../domain/types.ts';
import type { Destination } from '../context.ts';
import type { OpenDraft } from './data-path.ts';

/** Drafts that are discarded unless they were published, however the backup ends. */
export async function openDrafts(
  destinations: readonly Destination[],
  prefix: string,
  lost: Map<string, unknown>,
  signal: AbortSignal,
): Promise<OpenDraft[] & AsyncDisposable> {
  const drafts: OpenDraft[] = [];
  // What cannot be discarded is no backup and is swept later: it must not hide how the backup itself ended.
  const discard = async () => void (await Promise.allSettled(drafts.map(({ draft }) => draft.discard())));
  for (const destination of destinations) {
    try {
      drafts.push({ destination: destination.name, draft: await destination.store.draft(prefix, signal) });
    } catch (error) {
      if (signal.aborted) {
        await discard();
        throw error;
      }
      lost.set(destination.name, error);
    }
  }
  if (drafts.length === 0)
    throw (
      [...lost.values()][0] ??
      new LifeboatError('STORE_UNAVAILABLE', 'no destination can be written to', { hint: 'lifeboat doctor' })
    );
  return Object.assign(drafts, { [Symbol.asyncDispose]: discard });
}

/** The manifest names the one before it in the same destination, so each destination gets its own. */
export async function publish(
  source: SourceAddress,
  manifest: Manifest,
  drafts: readonly OpenDraft[],
  destinations: readonly Destination[],
  lost: Map<string, unknown>,
  signal: AbortSignal,
): Promise<Destination[]> {
  const published: Destination[] = [];
  for (const { destination: name, draft } of drafts) {
    const destination = destinations.find((candidate) => candidate.name === name);
    if (!destination || lost.has(name)) continue;
    try {
      const previous = await destination.catalog.chainHead(source, signal);
      await draft.publish(encodeManifest(previous ? { ...manifest, previous } : manifest), signal);
      published.push(destination);
    } catch (error) {
      if (signal.aborted) throw error;
      lost.set(name, error);
    }
  }
  return published;
}
