import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { acquireLease } from '../../src/catalog/lease.ts';
import { createLeaseKeeper, leased } from '../../src/catalog/lease-keeper.ts';
import { createS3Store } from '../../src/stores/s3.ts';
import { keysOf } from '../contracts/store.ts';
import { type TestBucket, testBucket } from '../support/s3.ts';
import { eventually } from '../support/testbed.ts';

const never = new AbortController().signal;
const folder = 'shop/db/postgres/20261121-030000-k3f9a2';
const src = join(import.meta.dirname, '../../src');

/** Writes a backup without end, until it is killed. */
const writer = `
  import { createS3Store } from '${src}/stores/s3.ts';
  import { Readable } from 'node:stream';
  const store = createS3Store(JSON.parse(process.argv[1]));
  const never = new AbortController().signal;
  const draft = await store.draft('${folder}', never);
  await draft.put('globals.sql', Buffer.from('whole'), {}, never);
  const endless = async function* () { for (;;) { yield Buffer.alloc(1024 * 1024, 'x'); await new Promise((r) => setTimeout(r, 20)); } };
  await draft.put('shop.dump', Readable.from(endless()), {}, never);
`;

describe('a writer to S3 that is killed', () => {
  let bucket: TestBucket;
  before(async () => {
    bucket = await testBucket();
  });
  after(() => bucket[Symbol.asyncDispose]());

  it('fault 54: leaves nothing that looks like a backup, and a sweep removes its parts and files', async () => {
    const { endpoint, region, credentials } = bucket;
    const options = {
      bucket: bucket.bucket,
      prefix: 'p',
      endpoint,
      region,
      credentials,
      partBytes: 5 * 1024 ** 2,
      objectBytes: 500 * 1024 ** 2,
    };
    const child = spawn(process.execPath, ['--input-type=module', '-e', writer, JSON.stringify(options)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    await eventually(async () => assert.deepEqual(await bucket.openUploads(), [`p/${folder}/shop.dump`]));
    child.kill('SIGKILL');
    await ended;
    const store = createS3Store(options);
    const held = leased(
      store,
      createLeaseKeeper((signal) => acquireLease(store, { owner: 'the next one' }, signal)),
    );
    assert.deepEqual(await keysOf(held), [`${folder}/globals.sql`], 'neither the cut artifact nor a manifest');
    assert.deepEqual(await held.sweep(24 * 3_600_000, never), [], 'what is young may still be written');
    // The server's time has whole seconds.
    await eventually(async () => {
      await held.sweep(0, never);
      assert.deepEqual(await bucket.openUploads(), []);
      assert.deepEqual(await keysOf(held), []);
    });
  });
});
