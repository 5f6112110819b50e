import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { acquireLease } from '../../src/catalog/lease.ts';
import { createLeaseKeeper, leased } from '../../src/catalog/lease-keeper.ts';
import { createLocalStore } from '../../src/stores/local.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { type TestBucket, testBucket } from '../support/s3.ts';

const never = new AbortController().signal;

/** Two sidecars, each with a data folder of its own, that store in the same place. */
describe('two sidecars and one destination', { concurrency: false }, () => {
  let stack: SmallStack;
  let shared: string;
  let bucket: TestBucket;
  before(async () => {
    stack = await startSmallStack();
    shared = await mkdtemp(join(tmpdir(), 'lifeboat-shared-'));
    bucket = await testBucket();
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
    await rm(shared, { recursive: true });
  });

  const backup = (home: Home) => home.lifeboat(['backup', 'db']);
  const backups = async (home: Home) =>
    (JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: unknown[] }).backups.length;
  const refused = /is being written to by .*\/lifeboat on .* since 20.*Z; its lease lasts until 20.*Z/;

  for (const [where, settings, leases] of [
    ['a local folder', () => ({ LIFEBOAT_DEST_LOCAL_URL: `file://${shared}` }), () => readdir(join(shared, '.leases'))],
    [
      'S3',
      () => ({ ...bucket.destination('OFFSITE', 'shared'), LIFEBOAT_TO: 'offsite' }),
      () => bucket.keys('shared/.leases/'),
    ],
  ] as const) {
    it(`fault 44: in ${where} the second one is refused and told who writes until when, and gets in after it`, async () => {
      await using first = await makeHome(stack.project, settings());
      await using second = await makeHome(stack.project, settings());
      await first.start();
      {
        await using _lock = await stack.dumpsHang();
        const running = backup(first);
        await stack.isDumping();
        const ended = await backup(second);
        assert.equal(ended.code, 11, `${ended.stdout}\n${ended.stderr}`);
        assert.match(ended.stderr, refused);
        await first.lifeboat([
          'cancel',
          JSON.parse((await first.lifeboat(['status', '--json'])).stdout).running[0].run,
        ]);
        assert.equal((await running).code, 130);
      }
      const before = await backups(second);
      const ended = await backup(second);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(await backups(second), before + 1);
      assert.deepEqual(await leases().catch(() => []), [], 'given back');
    });

    it(`fault 44: after kill -9 in ${where} our own restart takes the lease over at once`, async () => {
      await using home = await makeHome(stack.project, settings());
      const daemon = await home.start();
      {
        await using _lock = await stack.dumpsHang();
        const running = backup(home);
        await stack.isDumping();
        daemon.kill('SIGKILL');
        await Promise.all([daemon.ended, running]);
      }
      assert.equal((await leases()).length, 1, 'the dead one left its lease');
      const next = await home.start();
      const ended = await backup(home);
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(next.log(), /took over the lease of (a sidecar|.*\/lifeboat) on .*, who did not give it back/);
    });
  }

  it('fault 44: one of two destinations that another sidecar writes to makes the run degraded', async () => {
    const lease = { format: 1, holder: 'x', owner: 'the other one', since: '2026-11-21T00:00:00.000Z', ttlMs: 600_000 };
    await using home = await makeHome(stack.project, { LIFEBOAT_DEST_SHARED_URL: `file://${shared}` });
    assert.equal((await backup(home)).code, 0);
    await mkdir(join(shared, '.leases'), { recursive: true });
    await writeFile(join(shared, '.leases/x.json'), JSON.stringify(lease));
    const ended = await backup(home);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, /not in shared: .* is being written to by the other one/);
    await rm(join(shared, '.leases'), { recursive: true });
  });

  it('fault 44: a lost lease ends the writing, on a disk that went away', async () => {
    const root = await mkdtemp(join(tmpdir(), 'lifeboat-lost-'));
    const store = createLocalStore({ root });
    const keeper = createLeaseKeeper((signal) => acquireLease(store, { owner: 'we', ttlMs: 600 }, signal));
    const draft = await leased(store, keeper).draft('shop/db/postgres/20261121-030000-k3f9a2', never);
    const endless = Readable.from(
      (async function* () {
        for (;;) {
          yield Buffer.alloc(1024);
          await sleep(20);
        }
      })(),
    );
    const written = draft.put('shop.dump', endless, {}, never);
    await rm(root, { recursive: true, force: true });
    await assert.rejects(written, { code: 'LOCKED', message: /the lease on .* ended: it could not be renewed/ });
    await assert.rejects(draft.publish(Buffer.from('{}'), never), { code: 'LOCKED' });
    await draft.discard();
  });
});
