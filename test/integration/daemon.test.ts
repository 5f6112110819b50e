import assert from 'node:assert/strict';
import { mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { RunEvent } from '../../src/domain/run-event.ts';
import type { Status } from '../../src/runs/status/status.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
import { docker, eventually, startContainer } from '../support/testbed.ts';

/** What `list --json` prints of a backup. */
interface Listed {
  readonly id: string;
  readonly trigger: string;
  readonly destinations: readonly string[];
}

describe('the daemon', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  const statusOf = async (home: Home) => JSON.parse((await home.lifeboat(['status', '--json'])).stdout) as Status;
  const listed = async (home: Home) =>
    (JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: Listed[] }).backups;
  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);

  /** Holds a lock that every dump waits for, as long as it is not disposed of. */
  async function dumpsHang(): Promise<AsyncDisposable> {
    const session = docker(
      ...['exec', stack.db, 'psql', '-XqAt', '-U', 'postgres', 'shop', '-c'],
      "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SET application_name = 'holder'; SELECT pg_sleep(120)",
    ).catch((error: unknown) => error); // It ends by being terminated.
    const holders = "FROM pg_stat_activity WHERE application_name = 'holder'";
    await eventually(async () => assert.equal(await stack.psql(`SELECT count(*) ${holders}`), '1'));
    return {
      [Symbol.asyncDispose]: async () => {
        await stack.psql(`SELECT pg_terminate_backend(pid) ${holders}`);
        await session;
      },
    };
  }

  /** The run that the daemon has under way, once it dumps. */
  const dumping = (home: Home) =>
    eventually(async () => {
      const [run] = (await statusOf(home)).running;
      assert.ok(run);
      const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
      assert.notEqual(await stack.psql(waiting), '0');
      return run;
    });

  it('backs up on schedule, and tells how things stand', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_SCHEDULE: '* * * * *' });
    const daemon = await home.start();
    const fresh = await home.lifeboat(['status']);
    assert.match(fresh.stdout, /never +db\/postgres/);
    assert.equal(fresh.code, 0, 'before its first time a source need not have a backup');
    await eventually(async () => assert.ok((await listed(home)).length > 0), 80_000);
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
    await using _lock = await dumpsHang();
    const daemon = await home.start();
    await dumping(home);
    await docker('restart', '-t', '0', stack.db);
    await eventually(async () => assert.match(daemon.log(), /run [a-z0-9]{6} finished: /), 90_000);
    assert.match(daemon.log(), /trying again in \d+ s/);
    assert.match(daemon.log(), /finished: 1 ok/);
    assert.equal((await listed(home)).length, 1);
    assert.deepEqual(await leftovers(home), []);
  });

  it('fault 43: a second backup of what is being backed up, and its restore, are refused; a cancelled run ends', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    await using _lock = await dumpsHang();
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
    await using _lock = await dumpsHang();
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
    await using _lock = await dumpsHang();
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
      await using _lock = await dumpsHang();
      const backup = home.lifeboat(['backup', 'db'], (child) => setTimeout(() => child.kill('SIGKILL'), 3_000));
      await dumping(home);
      await backup;
    }
    await eventually(async () => assert.equal((await listed(home)).length, 1));
  });

  it('fault 44: a second daemon on the same data refuses, and says who is at work', async () => {
    await using home = await makeHome(stack.project);
    const first = await home.start();
    const second = await home.start({ LIFEBOAT_CONTROL_SOCKET: join(home.folder, 'second', 'daemon.sock') });
    assert.equal((await second.ended).code, 11);
    assert.match(second.log(), /the daemon \(process \d+, since .*\) is at work here/);
    const elsewhere = await home.start({ LIFEBOAT_DATA_DIR: join(home.folder, 'other-data') });
    assert.equal((await elsewhere.ended).code, 11);
    assert.match(elsewhere.log(), /another daemon answers/);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0);
    first.kill('SIGTERM');
    assert.equal((await first.ended).code, 0);
  });

  it('fault 16: starts without the Engine, says so, and goes on when it comes', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_SCHEDULE: '@daily' });
    const socket = join(home.folder, 'docker.sock');
    const daemon = await home.start({ DOCKER_HOST: `unix://${socket}` });
    await eventually(async () => assert.match(daemon.log(), /the Docker Engine cannot be used/));
    const sick = await home.lifeboat(['healthcheck']);
    assert.equal(sick.code, 1);
    assert.match(sick.stdout, /the Docker Engine does not answer/);
    const status = await home.lifeboat(['status']);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /the Docker Engine does not answer/);
    const backup = await home.lifeboat(['backup']);
    assert.match(backup.stderr, /the Docker Engine does not answer/);
    await symlink((process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', ''), socket);
    await eventually(async () => assert.match(daemon.log(), /db\/postgres: found/), 40_000);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0);
    good(await home.lifeboat(['backup']));
  });

  it('a destination that is away degrades backups and stops nothing; it is used again when it is back', async () => {
    await using home = await makeHome(stack.project);
    const offsite = join(home.folder, 'offsite');
    const daemon = await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
    const first = await home.lifeboat(['backup']);
    assert.equal(first.code, 3, first.stderr);
    assert.match(first.stderr, /not in offsite/);
    const degraded = await home.lifeboat(['status']);
    assert.equal(degraded.code, 3);
    assert.match(degraded.stdout, /degraded +db\/postgres[\s\S]*destination offsite cannot be used/);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0, 'one destination is enough to be well');
    assert.match(daemon.log(), /cannot be used: .*offsite/);
    const list = await home.lifeboat(['list']);
    assert.equal(list.code, 3);
    assert.match(list.stderr, /! offsite: /);
    await mkdir(offsite);
    good(await home.lifeboat(['backup']));
    good(await home.lifeboat(['status']));
    assert.deepEqual((await listed(home))[0]?.destinations.toSorted(), ['local', 'offsite']);
  });

  it('a required destination that is away fails the backup; what is elsewhere can be restored', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_DEST_OFFSITE_REQUIRED: 'true' });
    const offsite = join(home.folder, 'offsite');
    const daemon = await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
    const first = await home.lifeboat(['backup']);
    assert.equal(first.code, 1, first.stderr);
    assert.match(first.stderr, /✖ db\/postgres .*\n +not in offsite/);
    assert.match(first.stdout, /✖ backed up nothing, 1 failed/);
    const failed = await home.lifeboat(['status']);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /failed +db\/postgres[\s\S]*not in offsite, which is required: /);
    assert.match(daemon.log(), /finished: 1 failed .*not in offsite, which is required/);
    assert.deepEqual((await listed(home))[0]?.destinations, ['local']);
    good(await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']));
    await mkdir(offsite);
    good(await home.lifeboat(['backup']));
    good(await home.lifeboat(['status']));
  });

  it('with LIFEBOAT_STRICT refuses to start on a problem with a label, or where it cannot look', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_STRICT: 'true', LIFEBOAT_LABEL_PREFIX: 'lbs' });
    const labels = ['project', 'service'].flatMap((name) => [
      '--label',
      `com.docker.compose.${name}=${name === 'project' ? stack.project : 'strict'}`,
    ]);
    const odd = await startContainer('debian:trixie-slim', {
      args: ['sleep', 'infinity'],
      run: ['--init', ...labels, '--label', 'lbs.shedule=@daily'],
    });
    const refused = await home.start();
    assert.deepEqual(await refused.ended, { code: 78, signal: null }, refused.log());
    assert.match(refused.log(), /unknown label lbs\.shedule on service strict – did you mean lbs\.schedule\?/);
    await odd[Symbol.asyncDispose]();
    const blind = await home.start({ DOCKER_HOST: `unix://${home.folder}/nowhere.sock` });
    assert.equal((await blind.ended).code, 1, blind.log());
    const daemon = await home.start();
    good(
      await home.lifeboat(['status', '-q']).then((ended) => ({ ...ended, code: ended.code === 1 ? 0 : ended.code })),
    );
    daemon.kill('SIGTERM');
    assert.equal((await daemon.ended).code, 0, daemon.log());
  });

  it('fault 51: a destination that was unmounted meanwhile is not written to', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    good(await home.lifeboat(['backup']));
    const backups = join(home.folder, 'backups');
    await rm(backups, { recursive: true });
    await mkdir(backups);
    const backup = await home.lifeboat(['backup']);
    assert.equal(backup.code, 1);
    assert.match(backup.stderr, /was used before, but its lifeboat\.json is gone/);
    assert.deepEqual(await readdir(backups), []);
  });

  it('fault 48: a damaged history costs no backup, and is learnt again', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_SCHEDULE: '@daily' });
    const first = await home.start();
    good(await home.lifeboat(['backup']));
    const [backup] = await listed(home);
    first.kill('SIGTERM');
    await first.ended;
    await writeFile(join(home.folder, 'data', 'history.sqlite'), Buffer.alloc(20_000, 'x'));
    const second = await home.start();
    assert.match(second.log(), /the run history was damaged and is begun anew/);
    const [source] = (await statusOf(home)).sources;
    assert.equal(source?.lastBackup?.id, backup?.id);
    await eventually(async () => assert.equal((await statusOf(home)).sources[0]?.lastRun?.result, 'ok'));
    good(await home.lifeboat(['backup']));
  });

  it('fault 70: what was missed while it was down is made up for once, right at the start', async () => {
    await using home = await makeHome(stack.project);
    // Once a day, at a minute that is soon: what runs after it has passed can only be making up for it.
    const due = new Date(Math.ceil((Date.now() + 20_000) / 60_000) * 60_000);
    const settings = { TZ: 'UTC', LIFEBOAT_SCHEDULE: `${due.getUTCMinutes()} ${due.getUTCHours()} * * *` };
    const first = await home.start(settings);
    await eventually(async () => assert.match(first.log(), /db\/postgres: found/));
    first.kill('SIGTERM');
    await first.ended;
    await new Promise((resolve) => setTimeout(resolve, due.getTime() + 1_000 - Date.now()));
    assert.deepEqual(await listed(home), []);
    await home.start(settings);
    await eventually(async () => assert.equal((await listed(home)).length, 1), 60_000);
  });

  it('tells what it is when it is asked for help, and starts nothing', async () => {
    await using home = await makeHome(stack.project);
    for (const name of ['daemon', 'healthcheck']) {
      const help = await home.lifeboat([name, '--help']);
      good(help);
      assert.match(help.stdout, new RegExp(`Usage: lifeboat ${name}`));
      assert.equal((await home.lifeboat([name, '--verbose'])).code, 2);
    }
  });

  it('says that nothing is scheduled where no daemon runs', async () => {
    await using home = await makeHome(stack.project);
    const empty = await home.lifeboat(['status']);
    assert.match(empty.stdout, /no daemon runs here: nothing is backed up by itself/);
    good(await home.lifeboat(['backup']));
    const status = await home.lifeboat(['status']);
    assert.match(status.stdout, /ok +db\/postgres/);
    assert.match((await home.lifeboat(['logs'])).stdout, /started \(manual\)/);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 1);
  });

  const leftovers = async (home: Home) =>
    (await readdir(join(home.folder, 'backups'), { recursive: true })).filter((name) => name.includes('.partial'));
});
