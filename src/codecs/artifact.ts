import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Artifact } from '../domain/manifest.ts';
import { decodeChain } from './chain.ts';
import { verified } from './digest.ts';
import { openCodec } from './index.ts';

/** Opens a stored object of the backup's folder by its name there. */
export type OpenStored = (file: string, signal: AbortSignal) => Promise<Readable>;

/**
 * The plain bytes of a stored artifact. The stream ends only when the stored bytes are those the manifest names, every
 * decoder accepted them and the plain bytes agree as well; otherwise it fails with ARTIFACT_CORRUPT.
 */
export async function openArtifact(artifact: Artifact, open: OpenStored, signal: AbortSignal): Promise<Readable> {
  const codecs = await Promise.all(artifact.codecs.map(({ name }) => openCodec(name)));
  const stored = await open(artifact.file, signal);
  const whole = verified(stored, { bytes: artifact.storedBytes, sha256: artifact.storedSha256 }, artifact.file);
  const step = decodeChain(codecs, signal);
  if (step.input === undefined) throw new TypeError('a decoder reads its own input');
  // The decoder may not end before its input did, so a damaged store always fails the plain stream as well.
  pipeline(whole, step.input).catch(() => undefined);
  const plain = { bytes: artifact.plainBytes, sha256: artifact.plainSha256 };
  return verified(step.output, plain, `the content of ${artifact.file}`);
}
