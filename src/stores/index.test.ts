import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LifeboatError } from '../domain/errors.ts';
import { openStore, storeSchemes } from './index.ts';

const never = new AbortController().signal;

test('opens what the URL says and shows where it is', async () => {
  for (const [url, driver, location] of [
    ['file:///backups', 'local', 'file:///backups'],
    ['file:///mnt/my%20disk/100%25%23/', 'local', 'file:///mnt/my%20disk/100%25%23'],
    ['memory://tests', 'memory', 'memory://tests'],
    ['s3://bucket', 's3', 's3://bucket'],
    ['S3://shop-backups/prod/db/?region=eu-central-1', 's3', 's3://shop-backups/prod/db'],
    [
      's3://b/p?endpoint=https://minio:9000&path-style=true&storage-class=STANDARD_IA&checksum=none',
      's3',
      's3://b/p?endpoint=https://minio:9000',
    ],
  ] as const) {
    const store = await openStore(url);
    assert.deepEqual([store.driver, store.location], [driver, location]);
  }
  assert.deepEqual(storeSchemes, ['file', 's3', 'memory']);
});

test('a memory destination is the same for everybody who names it', async () => {
  await (await openStore('memory://one')).put('a', Buffer.from('x'), {}, never);
  assert.ok(await (await openStore('memory://one')).get('a', never));
  await assert.rejects((await openStore('memory://two')).get('a', never), { code: 'OBJECT_NOT_FOUND' });
});

test('what cannot be meant is refused with a hint', async () => {
  for (const [url, message, hint] of [
    ['/backups', /is not a URL/, /file:\/\/\/backups/],
    ['backups', /is not a URL/, /file:\/\/\/backups/],
    ['fil:///backups', /unknown scheme "fil"/, /did you mean "file"/],
    ['ftp://host/x', /unknown scheme "ftp"/, /known are file, s3, memory/],
    ['file://backups', /names a host/, /three slashes/],
    ['file:///', /names no folder/, /file:\/\/\/backups/],
    ['file:///backups?mode=0600', /unknown setting "mode"/, /takes none/],
    ['file:///a%zz', /%-escape/, /%25/],
    ['s3://', /(names no bucket|is not a URL)/, /s3:\/\/bucket/],
    ['s3://b?regoin=x', /unknown setting "regoin"/, /did you mean "region"/],
    ['s3://b?pathstyle=true', /"pathstyle"/, /did you mean "path-style"/],
    ['s3://b?frobnicate=1', /"frobnicate"/, /known are region, endpoint/],
    ['s3://b?region=a&region=b', /sets "region" twice/, /one/],
    ['s3://b?path-style=yes', /value for "path-style"/, /true, false/],
    ['s3://b?checksum=md5', /value for "checksum"/, /auto, crc32, none/],
    ['s3://b?endpoint=minio:9000', /endpoint that is not a web address/, /https:\/\//],
    ['s3://b/p#x', /holds a "#"/, /%23/],
    ['memory://', /needs a name|is not a URL/, /./],
  ] as const) {
    await assert.rejects(openStore(url), (error: LifeboatError) => {
      assert.equal(error.code, 'CONFIG_INVALID', url);
      assert.match(error.message, message);
      if (!url.startsWith('memory')) assert.match(error.hint ?? '', hint);
      return true;
    });
  }
});

test('fault 95: credentials in a URL are refused and never repeated', async () => {
  for (const url of [
    's3://AKIA123:hunter2@bucket/prefix',
    's3://hunter2@bucket',
    's3://bucket?endpoint=https://AKIA123:hunter2@minio:9000',
    's3://bucket?secret-access-key=hunter2',
    'ftp://user:hunter2@host/',
    'not-a-url hunter2',
  ]) {
    await assert.rejects(openStore(url), (error: LifeboatError) => {
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.doesNotMatch(`${error.message} ${error.hint} ${error.stack} ${JSON.stringify(error)}`, /hunter2/);
      return true;
    });
  }
});

test('a prefix that leads out of the bucket is refused', async () => {
  await assert.rejects(openStore('s3://bucket/a/%2e%2e%2fb'), { code: 'USAGE' });
});
