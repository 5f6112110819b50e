import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { readObject } from './s3-read.ts';
import type { Content, S3Wire } from './s3-wire.ts';

const never = new AbortController().signal;
const whole = Buffer.from('the whole object');

/** A wire on which only `get` answers: from each offset with what the script says. */
function wireOf(script: (from: number, call: number) => Partial<Content>): S3Wire {
  let calls = 0;
  const answers: Pick<S3Wire, 'get'> = {
    get: async (_key, { from }) => ({
      bytes: whole.length - from,
      etag: '"1"',
      chunks: chunksOf(whole.subarray(from)),
      ...script(from, calls++),
    }),
  };
  return new Proxy(answers as S3Wire, {
    get: (wire, name) => (name === 'get' ? wire.get : assert.fail(`${String(name)} is not expected`)),
  });
}

async function* chunksOf(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

const read = async (wire: S3Wire) => String(await buffer(await readObject(wire, 'key', 1e9, never)));

test('an answer that ends early without an error is taken up where it ended', async () => {
  const wire = wireOf((from, call) => (call < 3 ? { chunks: chunksOf(whole.subarray(from, from + 4)) } : {}));
  assert.equal(await read(wire), String(whole));
});

test('a server that never gets further fails the stream', async () => {
  const wire = wireOf((from) => (from === 0 ? { chunks: chunksOf(whole.subarray(0, 4)) } : { chunks: chunksOf() }));
  await assert.rejects(read(wire), { code: 'STORE_UNAVAILABLE', message: /closed key after 4 of 16 bytes/ });
});

test('a server that sends more than it announced fails the stream', async () => {
  await assert.rejects(read(wireOf(() => ({ bytes: 5 }))), { code: 'ARTIFACT_CORRUPT', message: /more than the 5/ });
});

test('an object that has another size when it is taken up fails the stream', async () => {
  const wire = wireOf((from) => (from === 0 ? { chunks: chunksOf(whole.subarray(0, 4)) } : { bytes: 99 }));
  await assert.rejects(read(wire), { code: 'ARTIFACT_CORRUPT', message: /has 103 bytes, had 16/ });
});

test('what will fail again is not tried again', async () => {
  const wire = wireOf(() => ({
    chunks: (async function* () {
      yield whole.subarray(0, 4);
      throw new LifeboatError('STORE_UNAVAILABLE', 'access denied');
    })(),
  }));
  await assert.rejects(read(wire), { message: 'access denied' });
});
