import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { LifeboatError } from '../../../src/domain/errors.ts';
import type { S3Options } from '../../../src/stores/s3-options.ts';
import { contentOf, keysOf, streamOf } from '../../contracts/store.ts';
import { faultProxy } from '../../fakes/fault-proxy.ts';
import { mib, never, quick, server, storeAt, text } from './bucket.ts';

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
