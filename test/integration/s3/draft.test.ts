import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3';
import { manifestFile } from '../../../src/stores/store.ts';
import { contentOf, keysOf, streamOf } from '../../contracts/store.ts';
import { faultProxy } from '../../fakes/fault-proxy.ts';
import { bucket, client, freshStore, mib, never, openUploads, server, storeAt, text } from './bucket.ts';

test('an artifact above the limit becomes numbered objects that are read as one', async () => {
  const { store, leftovers } = await freshStore({ objectBytes: 10 * mib });
  const body = randomBytes(31 * mib);
  const confirmation = await store.put('big', streamWhole(body), {}, never);
  assert.deepEqual([confirmation.bytes, confirmation.objects, confirmation.confirmed], [body.length, 4, 'checksum']);
  assert.deepEqual(await keysOf(store), ['big', 'big.001', 'big.002', 'big.003']);
  assert.ok((await contentOf(store, 'big')).equals(body));
  const parts = await Promise.all(['big', 'big.001', 'big.002', 'big.003'].map((key) => contentOf(store, key)));
  assert.ok(parts.length === 4);
  await store.remove('big.002', never);
  await assert.rejects(contentOf(store, 'big'), { code: 'ARTIFACT_CORRUPT', message: /number 2/ });
  assert.deepEqual(await leftovers(), []);
});

test('the plain name appears last: not before all numbered objects are there', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const { store, prefix, leftovers } = await freshStore({ endpoint: proxy.endpoint, objectBytes: 10 * mib });
  const refused = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
  proxy.inject({ on: /^POST .*big\.001\?uploadId=/, answer: refused });
  await assert.rejects(store.put('big', streamOf(26 * mib), {}, never), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(await keysOf(storeAt({ prefix })), []);
  assert.deepEqual(await leftovers(), []);
});

test('an abort while a put is confirmed leaves nothing of it', async () => {
  for (const [on, checksum] of [
    [/^GET .*x-id=GetObject/, 'none'],
    [/^HEAD/, 'crc32'],
  ] as const) {
    await using proxy = await faultProxy(server.endpoint);
    const { store, prefix } = await freshStore({ endpoint: proxy.endpoint, checksum });
    proxy.inject({ on, stall: true, skip: on.test('HEAD') ? 1 : 0, times: 1 });
    const abort = new AbortController();
    const run = store.put('a', text('x'), { ifAbsent: true }, abort.signal);
    while (!proxy.requests.some((line) => line.startsWith('PUT'))) await sleep(10);
    setTimeout(() => abort.abort(), 100);
    await assert.rejects(run, { code: 'CANCELLED' });
    assert.deepEqual(await keysOf(storeAt({ prefix })), []);
  }
});

test('a draft takes back what a failed put may have left', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const { store, prefix } = await freshStore({ endpoint: proxy.endpoint, checksum: 'crc32' });
  const draft = await store.draft('shop/db/postgres/20261121-030000-k3f9a2', never);
  // The object is stored, and from then on nothing is answered any more.
  proxy.inject({ on: /^PUT/, answer: { status: 500, afterwards: true } });
  proxy.inject({ on: /^HEAD/, skip: 1, times: 4, answer: { status: 503 } });
  await assert.rejects(draft.put('a', text('x'), {}, never), { code: 'STORE_UNAVAILABLE' });
  await draft.discard();
  assert.deepEqual(await keysOf(storeAt({ prefix })), []);
});

test('a draft takes back the manifest first: what is cut short there is no backup', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const { store, prefix } = await freshStore({ endpoint: proxy.endpoint, checksum: 'crc32' });
  const draft = await store.draft('shop/db/postgres/20261121-030000-k3f9a2', never);
  await draft.put('a', text('x'), {}, never);
  // The manifest is stored, and nobody can say so.
  proxy.inject({ on: /^PUT/, answer: { status: 500, afterwards: true } });
  proxy.inject({ on: /^HEAD/, skip: 1, times: 8, answer: { status: 503 } });
  await assert.rejects(draft.publish(text('{}'), never), { code: 'STORE_UNAVAILABLE' });
  assert.equal((await keysOf(storeAt({ prefix }))).length, 2);
  await draft.discard();
  const removed = proxy.requests.flatMap((line) => /^DELETE .*\/(.+)\?/.exec(line)?.[1] ?? []);
  assert.deepEqual(removed, [manifestFile, 'a']);
  assert.deepEqual(await keysOf(storeAt({ prefix })), []);
});

test('fault 62: what was taken up and published by another writer meanwhile is not taken back', async () => {
  const { store } = await freshStore();
  const folder = 'shop/db/postgres/20261121-030000-k3f9a2';
  const cut = await store.draft(folder, never);
  await cut.put('a', text('a'), {}, never);
  cut.leave();
  const [slow, quick] = [
    await store.draft(folder, never, { resume: true }),
    await store.draft(folder, never, { resume: true }),
  ];
  await quick.publish(text('{}'), never);
  await assert.rejects(slow.publish(text('{}'), never), { code: 'OBJECT_EXISTS' });
  await slow.discard();
  assert.deepEqual(await keysOf(store), [`${folder}/a`, `${folder}/${manifestFile}`]);
});

test('an artifact of exactly the limit is one object', async () => {
  const { store } = await freshStore({ objectBytes: 10 * mib });
  const confirmation = await store.put('big', streamOf(10 * mib), {}, never);
  assert.equal(confirmation.objects, undefined);
  assert.deepEqual(await keysOf(store), ['big']);
  assert.equal((await contentOf(store, 'big')).length, 10 * mib);
});

test('numbered objects appear all or none, and a draft takes them back', async () => {
  const { store, leftovers } = await freshStore({ objectBytes: 10 * mib, checksum: 'none' });
  const broken = streamOf(25 * mib, () => {
    throw new Error('the dump died');
  });
  await assert.rejects(store.put('big', broken, {}, never), { code: 'DUMP_INCOMPLETE' });
  assert.deepEqual(await keysOf(store), []);
  assert.deepEqual(await leftovers(), []);
  const draft = await store.draft('shop/db/postgres/20261121-030000-k3f9a2', never);
  const { objects, confirmed } = await draft.put('a', streamOf(25 * mib), {}, never);
  assert.deepEqual([objects, confirmed], [3, 'read-back']);
  await draft.discard();
  assert.deepEqual(await keysOf(store), []);
});

test('fault 54: sweep aborts old open uploads of ours and no others', async () => {
  const { store, prefix } = await freshStore();
  const ours = `${prefix}/shop/db/postgres/20261121-030000-k3f9a2/shop.dump.zst`;
  for (const key of [ours, `${prefix}/.restic/data`, `t/other-prefix/${randomUUID()}`]) {
    await client.send(new CreateMultipartUploadCommand({ Bucket: bucket, Key: key }));
  }
  assert.deepEqual(await store.sweep(60_000, never), []);
  await sleep(1100);
  assert.deepEqual(await store.sweep(1000, never), ['shop/db/postgres/20261121-030000-k3f9a2/shop.dump.zst']);
  assert.deepEqual(await openUploads(prefix), [`${prefix}/.restic/data`]);
});

function streamWhole(body: Buffer): Readable {
  const pieces = function* () {
    for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
  };
  return Readable.from(pieces(), { objectMode: false });
}
