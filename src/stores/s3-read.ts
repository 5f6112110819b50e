import type { Readable } from 'node:stream';
import { damagedHint } from '../domain/advice.ts';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { readableOf } from './body.ts';
import { s3Objects } from './s3-list.ts';
import type { Content, S3Wire } from './s3-wire.ts';

const attempts = 5;

/**
 * Streams an object, and the numbered ones after it when it has as many bytes as one object may have. A connection that
 * breaks is taken up where it broke; an object that was replaced meanwhile fails the stream.
 */
export async function readObject(wire: S3Wire, key: string, joinBytes: number, signal: AbortSignal): Promise<Readable> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const first = await wire.get(key, { from: 0 }, both);
  const chunks = read(wire, key, first, joinBytes, both);
  return readableOf(
    async () => {
      const next = await chunks.next();
      return next.done ? null : next.value;
    },
    async () => {
      stop.abort();
      await chunks.return(undefined);
    },
    signal,
  );
}

async function* read(
  wire: S3Wire,
  key: string,
  first: Content,
  joinBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  yield* readOne(wire, key, first, signal);
  if (first.bytes < joinBytes) return;
  for (const name of await continuationsOf(wire, key, signal)) {
    yield* readOne(wire, name, await wire.get(name, { from: 0 }, signal), signal);
  }
}

async function* readOne(wire: S3Wire, key: string, first: Content, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { bytes, etag } = first;
  let at = 0;
  let content = first;
  for (let attempt = 1; ; ) {
    try {
      for await (const chunk of content.chunks) {
        at += chunk.length;
        // A server that sends more than it announced must not run on; who reads finds the rest wrong.
        if (at > bytes) throw corrupt(key, `sent more than the ${bytes} bytes it announced`);
        yield chunk;
        attempt = 1;
      }
      if (at === bytes) return;
      throw new LifeboatError('STORE_UNAVAILABLE', `the server closed ${key} after ${at} of ${bytes} bytes`, {
        hint: 'try again; if it returns, something between here and the server cuts long answers',
        retryable: true,
      });
    } catch (error) {
      if (signal.aborted || !isLifeboatError(error) || !error.retryable || attempt >= attempts) throw error;
      attempt += 1;
    }
    content = await takeUp(wire, key, at, etag, signal);
    if (at + content.bytes !== bytes) throw corrupt(key, `has ${at + content.bytes} bytes, had ${bytes}`);
  }
}

async function takeUp(
  wire: S3Wire,
  key: string,
  from: number,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<Content> {
  try {
    return await wire.get(key, etag === undefined ? { from } : { from, etag }, signal);
  } catch (error) {
    if (isLifeboatError(error, 'OBJECT_EXISTS', 'OBJECT_NOT_FOUND'))
      throw corrupt(key, 'was replaced or removed', error);
    throw error;
  }
}

async function continuationsOf(wire: S3Wire, key: string, signal: AbortSignal): Promise<string[]> {
  const names: string[] = [];
  for await (const object of s3Objects(wire, `${key}.`, signal)) {
    if (/^\.\d{3,}$/.test(object.key.slice(key.length))) names.push(object.key);
  }
  names.sort((a, b) => numberOf(a, key) - numberOf(b, key));
  names.forEach((name, i) => {
    if (numberOf(name, key) !== i + 1) throw corrupt(key, `lacks its object number ${i + 1}`);
  });
  return names;
}

function numberOf(name: string, key: string): number {
  return Number(name.slice(key.length + 1));
}

function corrupt(key: string, what: string, cause?: unknown): LifeboatError {
  return new LifeboatError('ARTIFACT_CORRUPT', `${key} ${what} while it was read`, { hint: damagedHint, cause });
}
