import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { good, type Home, listed, makeHome, type SmallStack, startSmallStack, statusOf } from '../support/daemon.ts';
import { docker, eventually } from '../support/testbed.ts';

describe('the daemon', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  /** The run that the daemon has under way, once it dumps. */
  const dumping = (home: Home) =>
    eventually(async () => {
      const [run] = (await statusOf(home)).running;
      assert.ok(run);
      await stack.isDumping();
      return run;
    });

  it('backs up on schedule, and tells how things stand', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_SCHEDULE: '* * * * *' });
    const daemon = await home.start();
    const fresh = await home.lifeboat(['status']);
    assert.match(fresh.stdout, /never +db\/postgres/);
    assert.equal(fresh.code, 0, 'before its first time a source need not have a backup');
    await eventually(async () => assert.ok((await listed(home)).length > 0), 180_000);
    const [backup] = await listed(home);
    assert.equal(backup?.trigger, 'schedule');
    const status = await statusOf(home);
    const [source] = status.sources;
    assert.equal(source?.state, 'ok');
    assert.equal(source?.lastBackup?.id, backup?.id);
    assert.ok(new Date(source?.nextRunAt ?? 0) > new Date());
    assert.match(daemon.log(), /run [a-z0-9]{6} finished: 1 ok in \d+s/);
    assert.match(
      (await home.lifeboat(['logs'])).stdout,
      /started \(schedule\): db\/postgres[\s\S]*dumping shop[\s\S]*1 ok/,
    );
    const overview = await home.lifeboat([]);
    assert.match(overview.stdout, /ok +db\/postgres/);
    assert.match(overview.stderr, /lifeboat --help/);
  });

  it('does for its clients what they ask, and shows them how it goes', async () => {
    await using home = await makeHome(stack.project);
    const daemon = await home.start();
    const backup = await home.lifeboat(['backup', 'db', '--json']);
    good(backup);
    const lines = backup.stdout.trim().split('\n');
    const told = lines.map((line) => JSON.parse(line) as RunEvent | { type: 'result'; result: string; run: string });
    const result = told.at(-1);
    assert.ok(result?.type === 'result' && result.result === 'ok');
    assert.deepEqual([told[0]?.type, told.at(-2)?.type], ['run.started', 'run.finished']);
    assert.ok(daemon.log().includes(`run ${result.run.slice(-6)} started (manual): db/postgres`));

    const [entry] = await listed(home);
    assert.equal(entry?.trigger, 'manual');
    good(await home.lifeboat(['show', entry?.id.slice(-6) ?? '']));
    assert.match((await home.lifeboat(['plan'])).stdout, /db\/postgres {2}PostgreSQL 17/);

    await stack.psql('DELETE FROM orders WHERE id > 10');
    const restore = await home.lifeboat(['restore', 'db', '--yes']);
    good(restore);
    assert.match(restore.stdout, /restored db\/postgres from/);
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
    assert.equal(await stack.appState(), 'running');

    const wrong = await home.lifeboat(['backup', 'bd']);
    assert.equal(wrong.code, 13);
    assert.match(wrong.stderr, /there is no source bd[\s\S]*did you mean db/);
    assert.equal((await home.lifeboat(['show', 'zzzzzz'])).code, 13);
    assert.equal((await home.lifeboat(['cancel', 'zzzzzz'])).code, 13);
  });

  it('fault 5: a backup that nobody watches is tried again when its database was restarted meanwhile', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_RUN_ON_START: 'true', LIFEBOAT_SCHEDULE: '@yearly' });
    await using _lock = await stack.dumpsHang();
    const daemon = await home.start();
    await dumping(home);
    await docker('restart', '-t', '0', stack.db);
    await eventually(async () => assert.match(daemon.log(), /run [a-z0-9]{6} finished: /), 180_000);
    assert.match(daemon.log(), /trying again in \d+ s/);
    assert.match(daemon.log(), /finished: 1 ok/);
    assert.equal((await listed(home)).length, 1);
    assert.deepEqual(await leftovers(home), []);
  });

  it('fault 43: a second backup of what is being backed up, and its restore, are refused; a cancelled run ends', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    await using _lock = await stack.dumpsHang();
    const first = home.lifeboat(['backup', 'db']);
    const { run } = await dumping(home);
    const short = run.slice(-6);

    const second = await home.lifeboat(['backup']);
    assert.equal(second.code, 11, second.stderr);
    assert.ok(second.stderr.includes(`already being backed up by run ${short}`), second.stderr);
    const running = await home.lifeboat(['status']);
    assert.match(running.stdout, /running +db\/postgres/);
    assert.match(running.stdout, new RegExp(`run ${short} \\(manual\\) since`));

    good(await home.lifeboat(['cancel', short]));
    const cancelled = await first;
    assert.equal(cancelled.code, 130);
    assert.match(cancelled.stdout, /cancelled/);
    assert.deepEqual(await leftovers(home), []);
    assert.deepEqual((await statusOf(home)).running, []);
  });

  it('fault 43: a service that is being backed up is not restored', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    good(await home.lifeboat(['backup', 'db']));
    await using _lock = await stack.dumpsHang();
    const backup = home.lifeboat(['backup', 'db']);
    const { run } = await dumping(home);
    const restore = await home.lifeboat(['restore', 'db', '--yes']);
    assert.equal(restore.code, 11, restore.stderr);
    assert.match(restore.stderr, /db is being backed up by run/);
    await home.lifeboat(['cancel', run]);
    await backup;
  });

  it('a script that is interrupted ends what it began', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    await using _lock = await stack.dumpsHang();
    let interrupt = () => {};
    const backup = home.lifeboat(['backup', 'db'], (child) => {
      interrupt = () => child.kill('SIGINT');
    });
    await dumping(home);
    interrupt();
    assert.equal((await backup).code, 130);
    assert.deepEqual((await statusOf(home)).running, []);
    assert.deepEqual(await leftovers(home), []);
  });

  it('a restore that nobody confirmed can be stopped while it waits, whoever began it', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_RESTORE_DELAY: '1h' });
    await home.start();
    good(await home.lifeboat(['backup', 'db']));
    const waiting = () =>
      eventually(async () => {
        const [run] = (await statusOf(home)).running;
        assert.ok(run);
        return run.run.slice(-6);
      });
    // Who left a `docker exec` behind has only its id.
    const restore = home.lifeboat(['restore', 'db']);
    const run = await waiting();
    good(await home.lifeboat(['cancel', run]));
    const ended = await restore;
    assert.equal(ended.code, 130, ended.stderr);
    assert.ok(
      ended.stderr.includes(`begins in 1h; --yes skips this wait – to stop it: docker exec sidecar cancel ${run}`),
    );
    assert.match(ended.stderr, /a person cancelled it\n {2}nothing was touched/);

    let interrupt = () => {};
    const second = home.lifeboat(['restore', 'db'], (child) => {
      interrupt = () => child.kill('SIGINT');
    });
    await waiting();
    interrupt();
    assert.equal((await second).code, 130);
    assert.deepEqual((await statusOf(home)).running, []);
    assert.equal((await listed(home)).length, 1, 'not even a safety backup was taken');
  });

  it('a client that is killed leaves its run alone', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    {
      await using _lock = await stack.dumpsHang();
      let kill = () => {};
      const backup = home.lifeboat(['backup', 'db'], (child) => {
        kill = () => child.kill('SIGKILL');
      });
      await dumping(home);
      kill();
      assert.equal((await backup).code, -1);
    }
    await eventually(async () => assert.equal((await listed(home)).length, 1));
  });

  const leftovers = async (home: Home) =>
    (await readdir(join(home.folder, 'backups'), { recursive: true })).filter((name) => name.includes('.partial'));
});
