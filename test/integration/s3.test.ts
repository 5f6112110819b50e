import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { LifeboatError } from '../../src/domain/errors.ts';
import { createS3Store } from '../../src/stores/s3.ts';
import type { S3Options } from '../../src/stores/s3-options.ts';
import { manifestFile, type Store } from '../../src/stores/store.ts';
import { contentOf, keysOf, type StoreUnderTest, streamOf, testStore } from '../contracts/store.ts';
import { type Answer, faultProxy } from '../fakes/fault-proxy.ts';

const mib = 1024 ** 2;
const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);
const quick = { attempts: 4, baseMs: 20, maxMs: 100 };

const server = serverFrom(process.env);
const client = new S3Client({
  endpoint: server.endpoint,
  region: server.region,
  forcePathStyle: true,
  credentials: server.credentials,
});
const bucket = `lifeboat-${randomUUID().slice(0, 8)}`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
after(removeBucket);

/** The server is shared and small: what a run leaves behind fills it for everybody. */
async function removeBucket(): Promise<void> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
  }
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) break;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}

interface TestServer {
  readonly endpoint: string;
  readonly tlsEndpoint?: string | undefined;
  readonly ca?: string | undefined;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** `LIFEBOAT_TEST_S3` as JSON names any server; else the one of testbed/ceph.sh is taken, and started when it does not run. */
function serverFrom(env: NodeJS.ProcessEnv): TestServer {
  const json = env.LIFEBOAT_TEST_S3;
  if (json) return JSON.parse(json);
  const script = new URL('../../testbed/ceph.sh', import.meta.url).pathname;
  const lines = execFileSync('bash', ['-c', `eval "$(${script} up)" && env`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const found = Object.fromEntries(
    Array.from(String(lines).matchAll(/^LIFEBOAT_TESTBED_S3_(\w+)=(.*)$/gm), ([, name, value]) => [name, value]),
  );
  return {
    endpoint: found.ENDPOINT ?? '',
    tlsEndpoint: found.TLS_ENDPOINT,
    ca: found.CA,
    region: found.REGION ?? 'us-east-1',
    credentials: { accessKeyId: found.ACCESS_KEY ?? '', secretAccessKey: found.SECRET_KEY ?? '' },
  };
}

function storeAt(options: Partial<S3Options> = {}): Store {
  return createS3Store({
    bucket,
    prefix: `t/${randomUUID()}`,
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    partBytes: 5 * mib,
    objectBytes: 500 * mib,
    backoff: quick,
    ...options,
  });
}

async function openUploads(prefix: string): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  return Uploads.map(({ Key }) => Key ?? '');
}

async function freshStore(options: Partial<S3Options> = {}): Promise<StoreUnderTest & { prefix: string }> {
  const prefix = `t/${randomUUID()}`;
  return { prefix, store: storeAt({ ...options, prefix }), leftovers: () => openUploads(prefix) };
}

testStore('s3', () => freshStore(), 12 * mib);
testStore('s3 without checksums', () => freshStore({ checksum: 'none' }), 6 * mib);

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

test('speaks TLS with a certificate authority of its own, and names it when it is missing', async () => {
  assert.ok(server.tlsEndpoint && server.ca, 'the server under test has no TLS');
  const ca = readFileSync(server.ca, 'utf8');
  const store = storeAt({ endpoint: server.tlsEndpoint, ca });
  await store.put('a', streamOf(6 * mib), {}, never);
  assert.equal((await contentOf(store, 'a')).length, 6 * mib);
  await assert.rejects(storeAt({ endpoint: server.tlsEndpoint }).get('a', never), {
    code: 'STORE_UNAVAILABLE',
    retryable: false,
    hint: /certificate is not trusted/,
  });
});

test('errors say what to do', async () => {
  const { credentials } = server;
  const cases: [Partial<S3Options>, RegExp][] = [
    [{ bucket: 'no-such-bucket-here' }, /create the bucket "no-such-bucket-here"/],
    [{ credentials: { ...credentials, secretAccessKey: 'wrong' } }, /secret key does not belong/],
    [{ credentials: { ...credentials, accessKeyId: 'nobody' } }, /does not know this access key/],
    [{ endpoint: 'http://127.0.0.1:1' }, /reachable/],
    [{ endpoint: 'http://no-such-host.invalid' }, /has no address/],
    [{ endpoint: server.endpoint.replace('http:', 'https:') }, /does not speak TLS/],
  ];
  for (const [options, hint] of cases) {
    const store = storeAt({ ...options, backoff: { ...quick, attempts: 1 } });
    for (const attempt of [() => keysOf(store), () => store.put('a', text('x'), {}, never)]) {
      await assert.rejects(attempt(), (error: LifeboatError) => {
        assert.equal(error.code, 'STORE_UNAVAILABLE', error.message);
        assert.match(error.hint ?? '', hint, `${error.message} – ${error.hint}`);
        assert.ok(!`${error.message}${error.hint}`.includes(credentials.secretAccessKey));
        return true;
      });
    }
  }
});

test("fault 60: a clock that is wrong is put right by the server's, and named when that does not help", async () => {
  await using proxy = await faultProxy(server.endpoint);
  const skewed = '<Error><Code>RequestTimeTooSkewed</Code><Message>too large</Message></Error>';
  proxy.inject({ on: /^PUT/, times: 1, answer: { status: 403, body: skewed } });
  const store = storeAt({ endpoint: proxy.endpoint });
  await store.put('a', text('x'), {}, never);
  proxy.inject({
    on: /^GET/,
    rewrite: (answer) => ({
      status: 403,
      headers: { date: new Date(Date.now() - 3_600_000).toUTCString() },
      body: Buffer.from(answer ? skewed : ''),
    }),
  });
  await assert.rejects(store.get('a', never), { hint: /this machine is 360\d s ahead of the server/ });
});

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

test('a folder that some console has made is no object', async () => {
  const { store, prefix } = await freshStore();
  for (const key of [`${prefix}/`, `${prefix}/shop/`]) {
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: Buffer.alloc(0), ContentLength: 0 }));
  }
  await store.put('shop/db', text('x'), {}, never);
  assert.deepEqual(await keysOf(store), ['shop/db']);
  assert.deepEqual(await store.folders('', never), ['shop']);
});

test('keys may be read anew while the store is open', async () => {
  let reads = 0;
  const store = storeAt({
    credentials: async () => {
      reads += 1;
      return server.credentials;
    },
  });
  await store.put('a', text('x'), {}, never);
  assert.ok(reads >= 1);
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
