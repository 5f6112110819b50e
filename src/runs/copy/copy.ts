import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { verified } from '../../codecs/digest.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { backupPrefix, shortId } from '../../domain/naming.ts';
import type { Confirmation, Draft } from '../../stores/store.ts';
import type { Destination } from '../context.ts';
import { metered } from '../export/metered.ts';
import { firstWhole } from '../restore/copies.ts';

export interface CopyJob {
  readonly manifest: Manifest;
  /** Where it lies; the next is read when one is damaged or away. */
  readonly copies: readonly Destination[];
  readonly to: Destination;
  /** Goes on where an attempt before was cut, and leaves what it brought there when it is cut itself. */
  readonly resume?: boolean;
  /** Hears that a copy was of no use and another is read. */
  warn(message: string): void;
  /** Hears of every stored byte on its way. */
  onRead?(bytes: number): void;
}

/** Stored bytes of one backup that was copied. */
export interface Copied {
  readonly sentBytes: number;
  /** What an attempt before had brought there. */
  readonly foundBytes: number;
}

/**
 * Copies one complete backup to another destination, byte by byte as it is stored, manifest last. Rejects ARTIFACT_CORRUPT
 * when no copy at hand is whole, as damage is never spread, and OBJECT_EXISTS when the far end has something of this name.
 */
export async function copyBackup(job: CopyJob, signal: AbortSignal): Promise<Copied> {
  const { manifest, to, resume = false } = job;
  const { draft, found } = await openFarEnd(job, signal);
  try {
    for (const artifact of manifest.artifacts) if (!found.has(artifact)) await send(job, artifact, draft, signal);
    const previous = await to.catalog.chainHead(manifest, signal);
    const { previous: _, ...rest } = manifest;
    await draft.publish(encodeManifest(previous ? { ...rest, previous } : rest), signal);
    const foundBytes = bytesOf([...found]);
    return { sentBytes: bytesOf(manifest.artifacts) - foundBytes, foundBytes };
  } catch (error) {
    if (resume && (signal.aborted || isPassing(error))) draft.leave();
    throw error;
  } finally {
    await draft.discard().catch(() => {}); // What is left is swept later, and must not hide why the copy failed.
  }
}

// --- utils ---

interface FarEnd {
  readonly draft: Draft;
  /** What need not be sent: the far end gave back the very bytes. */
  readonly found: ReadonlySet<Artifact>;
}

async function openFarEnd({ manifest, to, resume = false }: CopyJob, signal: AbortSignal): Promise<FarEnd> {
  const prefix = backupPrefix(manifest, manifest.id);
  const draft = await to.store.draft(prefix, signal, { resume });
  if (!resume) return { draft, found: new Set() };
  try {
    const found = new Set<Artifact>();
    for (const artifact of manifest.artifacts) if (await isThere(draft, artifact, signal)) found.add(artifact);
    return { draft, found };
  } catch (error) {
    const isDamaged = isLifeboatError(error, 'ARTIFACT_CORRUPT');
    if (!isDamaged) draft.leave();
    await draft.discard();
    if (!isDamaged) throw error;
    return { draft: await to.store.draft(prefix, signal), found: new Set() };
  }
}

/** Whether the far end has the whole artifact. Rejects ARTIFACT_CORRUPT when it is another one. */
async function isThere(draft: Draft, artifact: Artifact, signal: AbortSignal): Promise<boolean> {
  try {
    for await (const _ of checked(await draft.get(artifact.file, signal), artifact)); // To the end: only there the digest is compared.
    return true;
  } catch (error) {
    if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return false;
    throw error;
  }
}

async function send(job: CopyJob, artifact: Artifact, draft: Draft, signal: AbortSignal): Promise<void> {
  const { manifest, copies, to, warn } = job;
  const { file, storedBytes, storedSha256 } = artifact;
  const sent = await firstWhole(
    shortId(manifest.id),
    copies,
    async (copy) => putFrom(copy, job, artifact, draft, signal),
    (message) => warn(`${file}: ${message}`),
    signal,
  );
  if ('error' in sent) throw sent.error;
  if (sent.sha256 === storedSha256 && sent.bytes === storedBytes) return;
  throw new LifeboatError('ARTIFACT_CORRUPT', `the copy of ${file} in ${to.name} differs`, {
    hint: 'lifeboat doctor tries that destination',
  });
}

/** Rejects with what is wrong with the copy that was read; what is wrong at the far end is no flaw of it. */
async function putFrom(
  { store }: Destination,
  { manifest, onRead = () => {} }: CopyJob,
  artifact: Artifact,
  draft: Draft,
  signal: AbortSignal,
): Promise<Confirmation | { readonly error: unknown }> {
  const stored = await store.get(`${backupPrefix(manifest, manifest.id)}/${artifact.file}`, signal);
  const body = checked(metered(stored, onRead), artifact);
  let flaw: unknown;
  body.once('error', (error) => {
    flaw = error;
  });
  try {
    return await draft.put(artifact.file, body, { expectedBytes: artifact.storedBytes }, signal);
  } catch (error) {
    if (flaw !== undefined) throw flaw;
    return { error };
  }
}

/** The stored bytes; fails with ARTIFACT_CORRUPT instead of ending when they are not those of the manifest. */
function checked(stored: Parameters<typeof verified>[0], { file, storedBytes, storedSha256 }: Artifact) {
  return verified(stored, { bytes: storedBytes, sha256: storedSha256 }, file);
}

/** The same may succeed later, and what is there by then is not sent again. */
function isPassing(error: unknown): boolean {
  return isLifeboatError(error, 'STORE_UNAVAILABLE', 'LOCKED');
}

function bytesOf(artifacts: readonly Artifact[]): number {
  return artifacts.reduce((total, { storedBytes }) => total + storedBytes, 0);
}
