import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/runs/status/status.ts';
import { type Fault, faultProxy } from '../fakes/fault-proxy.ts';
import { stallableEngine } from '../fakes/stallable-engine.ts';
import { type Daemon, type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { type TestBucket, testBucket } from '../support/s3.ts';
import { run } from '../support/stack.ts';
import { docker, eventually } from '../support/testbed.ts';

/** Makes a daemon go wrong when it gets SIGUSR2. */
const onSignal = (what: 'crash' | 'exhaust' | 'stall') => [
  '--import',
  join(import.meta.dirname, `../support/on-usr2-${what}.ts`),
];

/**
 * A restore that stands still while the app is stopped: the new copy of the table is checked row by row by a function
 * that sleeps. What is there already was put in quickly.
 */
const slowToRestore = `
  CREATE FUNCTION nap(int) RETURNS bool LANGUAGE sql AS
    $$ SELECT CASE WHEN current_setting('app.fast', true) = '1' THEN true ELSE pg_sleep(60) IS NOT NULL END $$;
  CREATE TABLE slow (x int CHECK (nap(x)));
  SET app.fast = '1'; INSERT INTO slow VALUES (1);
`;

describe('the end of the daemon', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
    await stack.psql(slowToRestore);
  });
  after(() => stack[Symbol.asyncDispose]());

  /** A daemon in the middle of a restore, with the app stopped. */
  async function restoring(home: Home, ...options: string[]) {
    const daemon = await home.start({}, ...options);
    assert.equal((await home.lifeboat(['backup', 'db'])).code, 0);
    const client = home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']);
    await eventually(async () => {
      assert.equal(await stack.appState(), 'exited');
      assert.notEqual(await stack.psql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"), '0');
    });
    return { daemon, client };
  }

  /** What is left to put back; without a first entry there is no folder. */
  const journal = (home: Home) =>
    readdir(join(home.folder, 'data', 'journal')).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return [];
      throw error;
    });
  const databases = () => stack.psql("SELECT datname FROM pg_database WHERE datname LIKE 'shop%' ORDER BY 1");

  /** Everything as it was: the app runs, the data is whole, nothing is left to put back. */
  async function isPutBack(home: Home): Promise<void> {
    assert.equal(await stack.appState(), 'running');
    assert.deepEqual(await journal(home), []);
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
  }

  async function endsWell(home: Home, daemon: Daemon, code: number): Promise<void> {
    const ended = await daemon.ended;
    assert.deepEqual(ended, { code, signal: null }, daemon.log());
    await isPutBack(home);
  }

  it('fault 37: SIGTERM during a restore starts the app again before the end', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home);
    daemon.kill('SIGTERM');
    await endsWell(home, daemon, 0);
    const { code, stderr } = await client;
    assert.equal(code, 130, stderr);
    assert.match(daemon.log(), /ending 1 run under way[\s\S]*Lifeboat has ended: interrupted by SIGTERM/);
    assert.equal(await databases(), 'shop', 'no half-made copy is left');
  });

  it('fault 37: SIGTERM during a backup leaves no partial backup', async () => {
    await using home = await makeHome(stack.project);
    const daemon = await home.start();
    {
      await using _lock = await stack.dumpsHang();
      const backup = home.lifeboat(['backup', 'db']);
      await stack.isDumping();
      daemon.kill('SIGTERM');
      assert.deepEqual(await daemon.ended, { code: 0, signal: null }, daemon.log());
      assert.equal((await backup).code, 130);
    }
    const left = await readdir(join(home.folder, 'backups'), { recursive: true });
    assert.deepEqual(
      left.filter((name) => name.includes('partial') || name.includes('manifest')),
      [],
    );
    await home.start();
    const status = JSON.parse((await home.lifeboat(['status', '--json'])).stdout) as Status;
    assert.equal(status.sources[0]?.lastRun?.result, 'interrupted');
  });

  it('fault 38: after kill -9 with the app stopped, the next start starts it', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home);
    daemon.kill('SIGKILL');
    await daemon.ended;
    const { code, stderr } = await client;
    assert.equal(code, 1);
    assert.match(stderr, /the daemon ended before this was done/);
    assert.equal(await stack.appState(), 'exited');
    assert.notDeepEqual(await journal(home), []);
    const next = await home.start();
    await eventually(() => isPutBack(home));
    assert.match(next.log(), /put back after an interruption: app: started again/);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0);
  });

  it('fault 38: without a daemon the next command that changes something puts back', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home);
    daemon.kill('SIGKILL');
    await Promise.all([daemon.ended, client]);
    const backup = await home.lifeboat(['backup', 'db']);
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stderr, /put back after an interruption: app: started again/);
    await isPutBack(home);
  });

  it('the second signal ends at once; the journal knows what is left to do', async () => {
    await using engine = await stallableEngine();
    await using home = await makeHome(stack.project, { DOCKER_HOST: engine.host });
    const { daemon, client } = await restoring(home);
    engine.stall(); // So that winding down takes as long as it likes.
    daemon.kill('SIGTERM');
    await eventually(async () => assert.match(daemon.log(), /ending 1 run under way/));
    daemon.kill('SIGTERM');
    assert.equal((await daemon.ended).code, 143);
    assert.equal(await stack.appState(), 'exited');
    await client;
    engine.goOn();
    await home.start();
    await eventually(() => isPutBack(home));
  });

  it('fault 107: an error that nobody caught puts the app back and ends with a failure', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home, ...onSignal('crash'));
    daemon.kill('SIGUSR2');
    await endsWell(home, daemon, 1);
    assert.match(daemon.log(), /ERROR Lifeboat has ended: unexpected error: nobody caught this/);
    assert.notEqual((await client).code, 0);
  });

  it('fault 107: a daemon that is out of memory ends at once, and the next start puts the app back', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home, '--max-old-space-size=150', ...onSignal('exhaust'));
    daemon.kill('SIGUSR2');
    assert.deepEqual(await daemon.ended, { code: null, signal: 'SIGABRT' }, daemon.log());
    assert.equal((await client).code, 1);
    assert.equal(await stack.appState(), 'exited');
    const next = await home.start();
    await eventually(() => isPutBack(home));
    assert.match(next.log(), /put back after an interruption: app: started again/);
  });

  it('fault 107: a daemon whose event loop stands still is not well, and the next one puts the app back', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, client } = await restoring(home, ...onSignal('stall'));
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0);
    daemon.kill('SIGUSR2');
    await eventually(async () => assert.match(daemon.log(), /stands still/));
    const sick = await home.lifeboat(['healthcheck']);
    assert.equal(sick.code, 1);
    assert.match(sick.stdout, /the daemon does not answer \(ETIMEDOUT\)/);
    assert.equal(await stack.appState(), 'exited');
    daemon.kill('SIGKILL'); // As Docker does after the time it gives.
    await daemon.ended;
    assert.equal((await client).code, 1);
    await home.start();
    await eventually(() => isPutBack(home));
  });

  it('fault 40: an app that a person had stopped stays stopped', async () => {
    await using home = await makeHome(stack.project);
    await docker('stop', '-t', '0', stack.app);
    try {
      const daemon = await home.start();
      daemon.kill('SIGTERM');
      await daemon.ended;
      await home.start();
      assert.equal(await stack.appState(), 'exited');
    } finally {
      await docker('start', stack.app);
    }
  });

  it('fault 46: helpers that a killed daemon left behind are removed at the next start', async () => {
    await using home = await makeHome(stack.project);
    const labels = ['lifeboat.role=helper', `lifeboat.owner=${stack.project}/lifeboat`, 'lifeboat.run=x'];
    const left = await run('docker', [
      ...['run', '-d', '--name', `left-${stack.project}`],
      ...labels.flatMap((label) => ['--label', label]),
      ...['debian:trixie-slim', 'sleep', '600'],
    ]);
    assert.equal(left.code, 0, left.stderr);
    await home.start();
    await eventually(async () => {
      const found = await docker('ps', '-aq', '--filter', `name=left-${stack.project}`);
      assert.equal(found, '');
    });
  });

  describe('beside an S3 destination that accepts connections and never answers', { concurrency: false }, () => {
    let bucket: TestBucket;
    before(async () => {
      bucket = await testBucket();
    });
    after(() => bucket[Symbol.asyncDispose]());
    const silence: Fault = { on: /./, stall: true };

    it('SIGTERM ends a daemon that is opening it', async () => {
      await using proxy = await faultProxy(bucket.endpoint);
      proxy.inject(silence);
      await using home = await makeHome(stack.project, bucket.destination('OFFSITE', 'a', proxy.endpoint));
      const daemon = await home.start();
      await eventually(async () => assert.notDeepEqual(proxy.requests, []));
      daemon.kill('SIGTERM');
      await endsWell(home, daemon, 0);
    });

    for (const [what, on] of [
      ['a backup is streamed', /^PUT .*dump/],
      ['a lease is laid', /^PUT .*leases/],
      ['a listing is awaited', /^GET .*list-type/],
    ] as const) {
      it(`SIGTERM ends a daemon while ${what}, and everything else is put back`, async () => {
        await using proxy = await faultProxy(bucket.endpoint);
        await using home = await makeHome(stack.project, {
          ...bucket.destination('OFFSITE', what.replaceAll(' ', '-'), proxy.endpoint),
          LIFEBOAT_TO: 'offsite',
        });
        const daemon = await home.start();
        assert.equal((await home.lifeboat(['backup', 'db'])).code, 0);
        proxy.inject({ on, stall: true });
        const before = proxy.requests.filter((line) => on.test(line)).length;
        const backup = home.lifeboat(['backup', 'db']);
        await eventually(async () => assert.ok(proxy.requests.filter((line) => on.test(line)).length > before));
        proxy.inject(silence);
        daemon.kill('SIGTERM');
        await endsWell(home, daemon, 0);
        assert.equal((await backup).code, 130);
      });
    }

    it('SIGTERM ends a command without a daemon, too', async () => {
      await using proxy = await faultProxy(bucket.endpoint);
      await using home = await makeHome(stack.project, {
        ...bucket.destination('OFFSITE', 'c', proxy.endpoint),
        LIFEBOAT_TO: 'offsite',
      });
      proxy.inject(silence);
      let end = () => {};
      const backup = home.lifeboat(['backup', 'db'], (child) => {
        end = () => child.kill('SIGTERM');
      });
      await eventually(async () => assert.notDeepEqual(proxy.requests, []));
      end();
      assert.equal((await backup).code, 130);
      await isPutBack(home);
    });
  });
});
