import assert from 'node:assert/strict';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { good, listed, makeHome, type SmallStack, startSmallStack, statusOf } from '../support/daemon.ts';
import { eventually, startContainer } from '../support/testbed.ts';

describe('the start of the daemon', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

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
    await eventually(async () => assert.match(daemon.log(), /db\/postgres: found/));
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0);
    good(await home.lifeboat(['backup']));
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
    // Once a day, at a minute that is soon: what runs after it has passed can only be making up for it. A machine that needs
    // longer to start and end a daemon than there is until then gets another minute.
    for (let aheadMs = 20_000; ; aheadMs *= 2) {
      await using home = await makeHome(stack.project);
      const due = new Date(Math.ceil((Date.now() + aheadMs) / 60_000) * 60_000);
      const settings = { TZ: 'UTC', LIFEBOAT_SCHEDULE: `${due.getUTCMinutes()} ${due.getUTCHours()} * * *` };
      const first = await home.start(settings);
      await eventually(async () => assert.match(first.log(), /db\/postgres: found/));
      first.kill('SIGTERM');
      await first.ended;
      if (new Date() >= due) continue;
      await new Promise((resolve) => setTimeout(resolve, due.getTime() + 1_000 - Date.now()));
      assert.deepEqual(await listed(home), []);
      await home.start(settings);
      await eventually(async () => assert.equal((await listed(home)).length, 1));
      return;
    }
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
});
