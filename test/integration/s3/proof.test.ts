import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf, streamOf } from '../../contracts/store.ts';
import { type Answer, faultProxy } from '../../fakes/fault-proxy.ts';
import { freshStore, mib, never, server, storeAt, text } from './bucket.ts';

test('the server confirms what it stored by a checksum of its own, small and big', async () => {
  const store = storeAt();
  assert.equal((await store.put('small', text('x'), {}, never)).confirmed, 'checksum');
  assert.equal((await store.put('big', streamOf(12 * mib), {}, never)).confirmed, 'checksum');
  assert.deepEqual(await keysOf(store), ['big', 'small'], 'the probe left nothing');
});

test('without checksums everything is read back', async () => {
  const store = storeAt({ checksum: 'none' });
  assert.equal((await store.put('small', text('x'), {}, never)).confirmed, 'read-back');
  assert.equal((await store.put('big', streamOf(12 * mib), {}, never)).confirmed, 'read-back');
});

test('fault 57: a server that shows another checksum or another size than was sent is not believed', async () => {
  for (const [header, value, message] of [
    ['x-amz-checksum-crc32', 'AAAAAA==', /CRC32 differs/],
    ['content-length', '7', /has 7 bytes instead of 5/],
  ] as const) {
    await using proxy = await faultProxy(server.endpoint);
    const { store, prefix } = await freshStore({ endpoint: proxy.endpoint });
    const rewrite = (answer: Answer) => ({ ...answer, headers: { ...answer.headers, [header]: value } });
    proxy.inject({ on: /^HEAD/, skip: 1, rewrite });
    const put = store.put('a', text('hello'), { ifAbsent: true }, never);
    await assert.rejects(put, { code: 'ARTIFACT_CORRUPT', message });
    assert.deepEqual(await keysOf(storeAt({ prefix })), []);
  }
});

test('fault 57: a server that damages bytes is found out by reading back', async () => {
  await using proxy = await faultProxy(server.endpoint);
  proxy.inject({
    on: /^GET .*x-id=GetObject/,
    rewrite: (answer) => ({ ...answer, body: Buffer.from(answer.body).fill('X', 0, 1) }),
  });
  const store = storeAt({ endpoint: proxy.endpoint, checksum: 'none' });
  await assert.rejects(store.put('a', text('hello'), {}, never), { code: 'ARTIFACT_CORRUPT', message: /read back/ });
  assert.deepEqual(await keysOf(store), []);
});

test('fault 58: a server that ignores checksums is read back instead', async () => {
  await using proxy = await faultProxy(server.endpoint);
  // It takes what should have been refused.
  proxy.inject({ on: /^PUT .*lifeboat-probe/, answer: { status: 200, body: '' } });
  const store = storeAt({ endpoint: proxy.endpoint });
  for (const bytes of [10, 6 * mib]) {
    assert.equal((await store.put('a', streamOf(bytes), {}, never)).confirmed, 'read-back');
  }
  assert.equal(
    proxy.requests.filter((line) => line.includes('lifeboat-probe')).length,
    2,
    'asked once, cleaned up once',
  );
});

test('fault 58: a server that refuses the checksum header is used without it', async () => {
  await using proxy = await faultProxy(server.endpoint);
  const body = '<Error><Code>InvalidArgument</Code><Message>Unsupported header x-amz-checksum-crc32</Message></Error>';
  proxy.inject({ on: /^PUT .*lifeboat-probe/, answer: { status: 400, body } });
  const store = storeAt({ endpoint: proxy.endpoint });
  assert.equal((await store.put('a', streamOf(6 * mib), {}, never)).confirmed, 'read-back');
  assert.equal((await store.put('b', streamOf(10), {}, never)).confirmed, 'read-back');
});
