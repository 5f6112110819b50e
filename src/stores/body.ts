import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';

/** What may be stored. */
export type Body = Readable | Uint8Array;

/**
 * The chunks of a body. Fails with the body's own LifeboatError, with DUMP_INCOMPLETE for any other failure (a stream
 * closed before its end included), with CANCELLED or the signal's reason when it fires; a failed body is destroyed.
 */
export async function* chunksOf(body: Body, key: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (signal.aborted) throw asLifeboatError(signal.reason);
  if (!(body instanceof Readable)) {
    if (body.length > 0) yield body;
    return;
  }
  // An ended stream yields nothing and would be stored as an empty object.
  if (body.readableEnded) throw new LifeboatError('INTERNAL', `the stream for ${key} was read before`);
  const chunks = body[Symbol.asyncIterator]();
  // Not by destroying the body and waiting for it: a stream over a generator closes only when that yields again.
  let interrupt: ((reason: unknown) => void) | undefined;
  const abort = (): void => interrupt?.(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  const next = () =>
    new Promise<IteratorResult<Uint8Array | string>>((resolve, reject) => {
      interrupt = reject;
      chunks.next().then(resolve, reject);
    });
  try {
    for (let step = await next(); !step.done; step = await next()) {
      yield typeof step.value === 'string' ? Buffer.from(step.value) : step.value;
      if (signal.aborted) throw signal.reason;
    }
  } catch (error) {
    if (signal.aborted) throw asLifeboatError(signal.reason);
    if (error instanceof LifeboatError) throw error;
    throw new LifeboatError('DUMP_INCOMPLETE', `the stream for ${key} failed before its end: ${messageOf(error)}`, {
      hint: 'try again',
      cause: error,
    });
  } finally {
    signal.removeEventListener('abort', abort);
    // Whoever stops taking says why by its own rejection.
    body.on('error', () => undefined).destroy();
  }
}

/** Runs a put; a body it did not get to read is destroyed when it fails, or its producer would wait for ever. */
export async function consuming<T>(body: Body, put: () => Promise<T>): Promise<T> {
  try {
    return await put();
  } catch (error) {
    // Nobody listens any more: the failure is the rejection of the put.
    if (body instanceof Readable) body.on('error', () => undefined).destroy();
    throw error;
  }
}

/** A stream over blocks that are fetched one by one; an abort fails it with the signal's reason. */
export function readableOf(
  next: () => Promise<Uint8Array | null>,
  close: () => Promise<void>,
  signal: AbortSignal,
): Readable {
  return new Readable({
    highWaterMark: 512 * 1024,
    signal,
    read() {
      next().then(
        (block) => this.push(block),
        (error) => this.destroy(error),
      );
    },
    destroy(error, callback) {
      const cause = error && signal.aborted ? asLifeboatError(signal.reason) : error;
      close().then(() => callback(cause), callback);
    },
  });
}

export interface Meter {
  add(chunk: Uint8Array): void;
  /** Ends the counting. */
  result(): { readonly bytes: number; readonly sha256: string };
}

/** Counts and hashes bytes: stores vouch for what they were given, not for what a server says it got. */
export function createMeter(): Meter {
  const hash = createHash('sha256');
  let bytes = 0;
  return {
    add: (chunk) => {
      bytes += chunk.length;
      hash.update(chunk);
    },
    result: () => ({ bytes, sha256: hash.digest('hex') }),
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
