import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { contentOf, keysOf, streamOf } from '../../contracts/store.ts';
import { faultProxy } from '../../fakes/fault-proxy.ts';
import { bucket, client, freshStore, mib, never, server, storeAt, text } from './bucket.ts';

test('a download that breaks off is taken up where it broke', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const store = storeAt({ endpoint: proxy.endpoint });
  const body = randomBytes(9 * mib);
  await store.put('big', streamWhole(body), {}, never);
  proxy.inject({ on: /^GET .*x-id=GetObject/, times: 3, cutAfter: 2 * mib });
  assert.ok((await contentOf(store, 'big')).equals(body));
  assert.equal(proxy.requests.filter((line) => line.includes('x-id=GetObject')).length, 4);
});

test('a download whose object is replaced in the middle fails, it does not mix the two', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const store = storeAt({ endpoint: proxy.endpoint });
  await store.put('big', streamOf(9 * mib), {}, never);
  proxy.inject({ on: /^GET .*x-id=GetObject/, times: 1, cutAfter: 2 * mib });
  const stream = await store.get('big', never);
  await store.put('big', streamOf(9 * mib), {}, never);
  await assert.rejects(
    (async () => {
      for await (const _ of stream);
    })(),
    { code: 'ARTIFACT_CORRUPT' },
  );
});

test('a download that stalls is given up', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const store = storeAt({ endpoint: proxy.endpoint, timeouts: { idleMs: 300 } });
  await store.put('a', text('x'), {}, never);
  proxy.inject({ on: /^GET/, stall: true });
  await assert.rejects(store.get('a', never), { code: 'STORE_UNAVAILABLE', retryable: true });
});

test('fault 63: a listing that breaks off or does not say where to go on is never complete', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const store = storeAt({ endpoint: proxy.endpoint });
  for (const key of ['a/1', 'a/2']) await store.put(key, text('x'), {}, never);
  const lie = (answer: { status: number; headers: object; body: Buffer }) => ({
    status: answer.status,
    headers: {},
    body: Buffer.from(String(answer.body).replace('<IsTruncated>false', '<IsTruncated>true')),
  });
  proxy.inject({ on: /list-type=2/, rewrite: lie });
  await assert.rejects(keysOf(store), { code: 'STORE_UNAVAILABLE', message: /broke off/ });
  await assert.rejects(store.folders('', never), { code: 'STORE_UNAVAILABLE' });
});

test('a folder that some console has made is no object', async () => {
  const { store, prefix } = await freshStore();
  for (const key of [`${prefix}/`, `${prefix}/shop/`]) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.alloc(0), ContentLength: 0 }));
  }
  await store.put('shop/db', text('x'), {}, never);
  assert.deepEqual(await keysOf(store), ['shop/db']);
  assert.deepEqual(await store.folders('', never), ['shop']);
});

function streamWhole(body: Buffer): Readable {
  const pieces = function* () {
    for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
  };
  return Readable.from(pieces(), { objectMode: false });
}
