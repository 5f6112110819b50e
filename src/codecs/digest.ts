import { createHash } from 'node:crypto';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { damagedHint } from '../domain/advice.ts';
import { LifeboatError } from '../domain/errors.ts';

/** What identifies a run of bytes. */
export interface Digest {
  readonly bytes: number;
  readonly sha256: string;
}

/** What is known of the bytes beforehand; what is absent is not compared. */
export interface ExpectedDigest {
  readonly bytes: number;
  readonly sha256?: string | undefined;
}

export interface DigestStep {
  /** Passes the bytes on unchanged. */
  readonly stream: Transform;
  /** Final once the stream has ended; throws before. */
  result(): Digest;
  /** Bytes seen so far, for progress. */
  bytes(): number;
}

/** Counts and hashes what flows through. */
export function createDigest(): DigestStep {
  const hash = createHash('sha256');
  let bytes = 0;
  let sha256: string | undefined;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      hash.update(chunk);
      callback(null, chunk);
    },
    flush(callback) {
      sha256 = hash.digest('hex');
      callback();
    },
  });
  return {
    stream,
    bytes: () => bytes,
    result: () => {
      if (sha256 === undefined) throw new LifeboatError('INTERNAL', 'the digest was asked for before the stream ended');
      return { bytes, sha256 };
    },
  };
}

/**
 * The same bytes, but the stream fails with ARTIFACT_CORRUPT instead of ending when they are not the expected ones.
 * Container formats do not see a cut between two frames or members; this does.
 */
export function verified(source: Readable, expected: ExpectedDigest, what = 'the artifact'): Readable {
  const hash = createHash('sha256');
  let bytes = 0;
  const corrupt = (message: string) =>
    new LifeboatError('ARTIFACT_CORRUPT', `${what} ${message}`, {
      hint: damagedHint,
      context: { expectedBytes: expected.bytes, bytes },
    });
  const check = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > expected.bytes) return callback(corrupt(`is longer than the ${expected.bytes} bytes it should have`));
      hash.update(chunk);
      callback(null, chunk);
    },
    flush(callback) {
      if (bytes < expected.bytes) return callback(corrupt(`is cut: ${bytes} of ${expected.bytes} bytes`));
      const sha256 = hash.digest('hex');
      if (expected.sha256 === undefined || sha256 === expected.sha256) return callback();
      callback(corrupt('has other content than was stored (SHA-256 differs)'));
    },
  });
  // The pipeline destroys `check` with whatever fails, so its reader learns of it; the promise says nothing more.
  pipeline(source, check).catch(() => undefined);
  return check;
}
