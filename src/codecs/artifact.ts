import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { damagedHint } from '../domain/advice.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Artifact } from '../domain/manifest.ts';
import { decodeChain } from './chain.ts';
import { verified } from './digest.ts';
import { openCodec } from './index.ts';
import { feedSink } from './sink.ts';

/** Opens a stored object of the backup's folder by its name there. */
export type OpenStored = (file: string, signal: AbortSignal) => Promise<Readable>;

/**
 * The plain bytes of a stored artifact. The stream ends only when the stored bytes are those the manifest names, every
 * decoder accepted them and the plain bytes agree as well; otherwise it fails with ARTIFACT_CORRUPT.
 */
export async function openArtifact(artifact: Artifact, openStored: OpenStored, signal: AbortSignal): Promise<Readable> {
  const codecs = await Promise.all(artifact.codecs.map(({ name }) => openCodec(name)));
  const whole = await openWhole(artifact, openStored, signal);
  const step = decodeChain(codecs, signal);
  if (step.input === undefined) throw new TypeError('a decoder reads its own input');
  // The decoder may not end before its input did, so a damaged store always fails the plain stream as well.
  pipeline(whole, step.input).catch(() => undefined);
  const plain = { bytes: artifact.plainBytes, sha256: artifact.plainSha256 };
  return verified(step.output, plain, `the content of ${artifact.file}`);
}

/**
 * Writes the plain bytes of a stored artifact to a file, under the same checks. They stay out of this process where the
 * codec can do that.
 */
export async function saveArtifact(
  artifact: Artifact,
  openStored: OpenStored,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const [name, ...others] = artifact.codecs.map((codec) => codec.name);
  const codec = name !== undefined && others.length === 0 ? await openCodec(name) : undefined;
  if (!codec?.decodeTo) {
    await pipeline(await openArtifact(artifact, openStored, signal), createWriteStream(path), { signal });
    return;
  }
  await using file = await open(path, 'w');
  const whole = await openWhole(artifact, openStored, signal);
  const bytes = await feedSink(whole, codec.decodeTo(file.fd, signal), signal);
  if (bytes === artifact.plainBytes) return;
  const message = `the content of ${artifact.file} has ${bytes} of ${artifact.plainBytes} bytes`;
  throw new LifeboatError('ARTIFACT_CORRUPT', message, { hint: damagedHint });
}

async function openWhole(artifact: Artifact, openStored: OpenStored, signal: AbortSignal): Promise<Readable> {
  const stored = await openStored(artifact.file, signal);
  return verified(stored, { bytes: artifact.storedBytes, sha256: artifact.storedSha256 }, artifact.file);
}
