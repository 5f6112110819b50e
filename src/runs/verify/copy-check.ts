import type { Readable } from 'node:stream';
import { verified } from '../../codecs/digest.ts';
import { openCodec } from '../../codecs/index.ts';
import { asLifeboatError, type ErrorCode, isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Counts, Manifest } from '../../domain/manifest.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { Proof } from '../../engines/engine.ts';
import { plainBytes } from '../backup/plain-bytes.ts';
import type { Destination } from '../context.ts';
import { metered } from '../export/metered.ts';
import type { Prover } from './prover.ts';

/** What became of reading one artifact of one copy. */
export type Reading =
  | { readonly state: 'sound' }
  /** The bytes are those that were stored, and the prover took them. */
  | { readonly state: 'proved'; readonly method: string }
  | { readonly state: 'damaged'; readonly message: string }
  /** The bytes are those that were stored, and the prover refuses them: so it is with every copy. */
  | { readonly state: 'refused'; readonly message: string }
  /** Sound by its checksum; why nothing proved its structure. */
  | { readonly state: 'unproved'; readonly code: ErrorCode; readonly why: string }
  | { readonly state: 'unread'; readonly error: LifeboatError };

/** One copy of a backup, opened for reading. */
export interface Copy {
  readonly manifest: Manifest;
  readonly destination: Destination;
  /** Hears of every stored byte that was read. */
  onRead(bytes: number): void;
}

/** Reads the stored bytes of one artifact to their end and compares size and SHA-256 with the manifest. */
export async function readArtifact(copy: Copy, artifact: Artifact, signal: AbortSignal): Promise<Reading> {
  try {
    for await (const _ of await open(copy, artifact, signal)); // To the end: only there the digest is compared.
    return { state: 'sound' };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asLifeboatError(thrown);
    if (error.code === 'OBJECT_NOT_FOUND') return { state: 'damaged', message: `${artifact.file} is missing` };
    return error.code === 'ARTIFACT_CORRUPT'
      ? { state: 'damaged', message: error.message }
      : { state: 'unread', error };
  }
}

/**
 * The same, and what comes out of the decoders goes through the engine's prover on the way. When that fails the bytes are
 * read once more alone: whether they are the ones that were stored tells damage of the storage from everything else.
 */
export async function proveArtifact(
  copy: Copy,
  artifact: Artifact,
  prover: Prover,
  signal: AbortSignal,
): Promise<Reading> {
  try {
    const proof = await prove(copy, artifact, prover, signal);
    return { state: 'proved', method: proof.method };
  } catch (thrown) {
    signal.throwIfAborted();
    const reading = await readArtifact({ ...copy, onRead: () => {} }, artifact, signal);
    if (reading.state !== 'sound') return reading;
    const { code, message } = asLifeboatError(thrown);
    if (!isLifeboatError(thrown, 'PROOF_FAILED', 'ARTIFACT_CORRUPT', 'DUMP_EMPTY'))
      return { state: 'unproved', code, why: message };
    if (!prover.isOtherImage) return { state: 'refused', message };
    const why = `the image of this backup is gone, and that of today does not take it: ${message}`;
    return { state: 'unproved', code: 'TOOL_MISSING', why };
  }
}

// --- utils ---

async function prove(copy: Copy, artifact: Artifact, prover: Prover, outer: AbortSignal): Promise<Proof> {
  const { engine, shell, options } = prover;
  const codecs = await Promise.all(artifact.codecs.map(({ name }) => openCodec(name)));
  // Fires when the prover gave up: the decoder must not go on for nobody.
  const done = new AbortController();
  const signal = AbortSignal.any([outer, done.signal]);
  try {
    const stored = await open(copy, artifact, signal);
    const isPiped = copy.manifest.path.taken === 'pipe' && shell.whyNoPipes() === undefined;
    const plain = plainBytes(stored, codecs, isPiped, signal);
    const facts = { ...artifact, extension: '' };
    const proof = await engine.prove(shell, facts, plain.stream, options, signal);
    plain.stream.destroy();
    compareBytes(artifact, await plain.total());
    compareCounts(artifact, proof.counts);
    return proof;
  } finally {
    done.abort();
  }
}

/** The stored bytes; the stream fails with ARTIFACT_CORRUPT instead of ending when they are not the ones of the manifest. */
async function open(
  { manifest, destination, onRead }: Copy,
  artifact: Artifact,
  signal: AbortSignal,
): Promise<Readable> {
  const { file, storedBytes, storedSha256 } = artifact;
  const stored = await destination.store.get(`${backupPrefix(manifest, manifest.id)}/${file}`, signal);
  return metered(verified(stored, { bytes: storedBytes, sha256: storedSha256 }, file), onRead);
}

function compareBytes({ file, plainBytes: expected }: Artifact, found: number): void {
  if (found === expected) return;
  throw new LifeboatError('PROOF_FAILED', `${file} holds ${found} bytes when decoded, the manifest says ${expected}`);
}

/** What the prover counted then and now. A later Lifeboat may count more kinds of things, or other ones. */
function compareCounts({ file, counts }: Artifact, found: readonly Counts[]): void {
  const now = fromDump(found);
  const differing = Object.entries(fromDump(counts)).filter(([what, count]) => (now[what] ?? count) !== count);
  if (differing.length === 0) return;
  const detail = differing.slice(0, 5).map(([what, count]) => `${now[what]} instead of ${count} ${what}`);
  throw new LifeboatError('PROOF_FAILED', `${file} holds other things than the manifest says: ${detail.join(', ')}`);
}

function fromDump(counts: readonly Counts[]): Record<string, number> {
  return Object.assign({}, ...counts.filter(({ how }) => how === 'dump').map(({ objects }) => objects));
}
