import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentOf, keysOf, streamOf } from '../../contracts/store.ts';
import { faultProxy } from '../../fakes/fault-proxy.ts';
import { freshStore, mib, never, quick, server, storeAt } from './bucket.ts';

test('fault 60: keys that expire or are revoked in the middle of an upload fail it, say so and leave nothing', async () => {
  for (const [code, hint] of [
    ['ExpiredToken', /temporary credentials have expired or were revoked: renew them/],
    ['InvalidAccessKeyId', /does not know this access key/],
  ] as const) {
    await using proxy = await faultProxy(server.endpoint);
    const body = `<Error><Code>${code}</Code><Message>no longer</Message></Error>`;
    proxy.inject({ on: /^PUT .*partNumber=2&/, answer: { status: 403, body } });
    const { store, leftovers } = await freshStore({ endpoint: proxy.endpoint });
    await assert.rejects(store.put('big', streamOf(17 * mib), {}, never), {
      code: 'STORE_UNAVAILABLE',
      retryable: false,
      hint,
    });
    assert.equal(proxy.requests.filter((line) => /partNumber=2&/.test(line)).length, 1, 'not tried in vain');
    assert.deepEqual(await keysOf(store), []);
    assert.deepEqual(await leftovers(), []);
  }
});

for (const [what, fault] of [
  ['503 SlowDown', { answer: { status: 503, body: '<Error><Code>SlowDown</Code></Error>' } }],
  ['500', { answer: { status: 500, body: '<Error><Code>InternalError</Code></Error>' } }],
  ['429', { answer: { status: 429, body: '' } }],
  ['a lost answer', { answer: { status: 502, body: '', afterwards: true } }],
  ['a connection reset', { resetAfter: 1 * mib }],
  ['a server that says nothing', { stall: true }],
] as const) {
  test(`faults 52 and 53: ${what} at the second part is retried, the object is the same to the byte`, async () => {
    await using proxy = await faultProxy(server.endpoint);
    proxy.inject({ on: /^PUT .*partNumber=2&/, times: 2, ...fault });
    const store = storeAt({ endpoint: proxy.endpoint, timeouts: { idleMs: 500 } });
    const body = randomBytes(17 * mib);
    await store.put('big', streamWhole(body), {}, never);
    assert.ok((await contentOf(store, 'big')).equals(body));
    assert.ok(proxy.requests.filter((line) => /partNumber=2&/.test(line)).length >= 3);
  });
}

test('faults 52 and 53: a part that never gets through fails the put and leaves neither object nor upload', async () => {
  for (const fault of [{ answer: { status: 503, body: '' } }, { resetAfter: 1000 }, { stall: true }]) {
    await using proxy = await faultProxy(server.endpoint);
    proxy.inject({ on: /^PUT .*partNumber=2&/, ...fault });
    const { store, prefix, leftovers } = await freshStore({ endpoint: proxy.endpoint, timeouts: { idleMs: 300 } });
    const body = streamOf(60 * mib);
    await assert.rejects(store.put('big', body, {}, never), { code: 'STORE_UNAVAILABLE', retryable: true });
    assert.ok(body.destroyed);
    assert.deepEqual(await keysOf(store), []);
    assert.deepEqual(await leftovers(), [], prefix);
  }
});

test('fault 53: a failing upload stops at once although its source is silent', async () => {
  await using proxy = await faultProxy(server.endpoint);
  proxy.inject({
    on: /^PUT .*partNumber=1&/,
    answer: { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' },
  });
  const body = streamOf(6 * mib, () => sleep(60_000, undefined, { ref: false }));
  await assert.rejects(storeAt({ endpoint: proxy.endpoint }).put('big', body, {}, never), { hint: /s3:PutObject/ });
});

test('a request that takes too long in all is given up', async () => {
  await using proxy = await faultProxy(server.endpoint);
  proxy.inject({ on: /^PUT/, throttle: 100_000 });
  const store = storeAt({
    endpoint: proxy.endpoint,
    checksum: 'crc32',
    timeouts: { requestMs: 1200 },
    backoff: { ...quick, attempts: 1 },
  });
  await assert.rejects(store.put('a', randomBytes(mib), {}, never), { code: 'STORE_UNAVAILABLE', retryable: true });
});

test('fault 56: an error in a successful answer to Complete is a failure', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>try again</Message></Error>';
  proxy.inject({ on: /^POST .*uploadId=/, answer: { status: 200, body } });
  const { store, leftovers } = await freshStore({ endpoint: proxy.endpoint });
  await assert.rejects(store.put('big', streamOf(6 * mib), {}, never), {
    code: 'STORE_UNAVAILABLE',
    message: /InternalError/,
  });
  assert.deepEqual(await keysOf(store), []);
  assert.deepEqual(await leftovers(), []);
});

test('fault 56: an error in the answer to Complete that passes is retried', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const body = '<Error><Code>InternalError</Code><Message>try again</Message></Error>';
  proxy.inject({ on: /^POST .*uploadId=/, times: 1, answer: { status: 200, body } });
  const store = storeAt({ endpoint: proxy.endpoint });
  await store.put('big', streamOf(6 * mib), {}, never);
  assert.equal((await contentOf(store, 'big')).length, 6 * mib);
});

test('an answer that was lost after the work was done is no failure, and no second object', async () => {
  for (const bytes of [1000, 6 * mib]) {
    for (const ifAbsent of [true, false]) {
      await using proxy = await faultProxy(server.endpoint);
      const store = storeAt({ endpoint: proxy.endpoint, checksum: 'crc32' });
      proxy.inject({ on: /^(PUT .*[^=]$|POST .*uploadId=)/, times: 1, answer: { status: 500, afterwards: true } });
      await store.put('a/object', streamOf(bytes), { ifAbsent }, never);
      assert.equal((await contentOf(store, 'a/object')).length, bytes);
    }
  }
});

test('memory stays bounded while a big body is uploaded', async () => {
  const before = process.memoryUsage().rss;
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 20);
  await storeAt({ partBytes: 16 * mib, objectBytes: 1600 * mib }).put('huge', streamOf(400 * mib), {}, never);
  clearInterval(watch);
  assert.ok(most - before < 300 * mib, `${Math.round((most - before) / mib)} MiB`);
});

function streamWhole(body: Buffer): Readable {
  const pieces = function* () {
    for (let at = 0; at < body.length; at += 65_536) yield body.subarray(at, at + 65_536);
  };
  return Readable.from(pieces(), { objectMode: false });
}
