import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Check } from '../../src/domain/check.ts';
import type { DoctorReport } from '../../src/runs/doctor/doctor.ts';
import { startSocketProxy } from '../fakes/socket-proxy.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { eventually } from '../support/testbed.ts';

const webhook = { LIFEBOAT_NOTIFY_WEBHOOK_URL: 'https://hooks.example.org/x' };

describe('doctor', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  const examine = async (home: Home) => {
    const ended = await home.lifeboat(['doctor', '--json']);
    const report = JSON.parse(ended.stdout) as DoctorReport;
    const bad = (status: Check['status']) =>
      report.checks.filter((check) => check.status === status).map(({ category, name }) => `${category} ${name}`);
    return { ...ended, report, warned: bad('warn'), failed: bad('fail') };
  };
  const find = ({ checks }: DoctorReport, name: string) => checks.find((check) => check.name === name);

  it('passes what works, in place and through the daemon, and leaves nothing behind', async () => {
    // The containers of tests carry a label that begins like ours.
    await using home = await makeHome(stack.project, { ...webhook, LIFEBOAT_LABEL_PREFIX: 'saved' });
    const inPlace = await examine(home);
    // A test does not run in a container: everything else must pass.
    assert.deepEqual([inPlace.failed, inPlace.warned], [[], ['engine own container']]);
    assert.equal(inPlace.code, 3);
    assert.match(find(inPlace.report, 'socket')?.message ?? '', /uid \d+, gid \d+, mode 0\d{3}; we are uid \d+/);
    assert.match(find(inPlace.report, 'db/postgres')?.message ?? '', /PostgreSQL 17.* with pg_dump 17/);
    assert.match(find(inPlace.report, 'webhook')?.message ?? '', /hears of failure/);
    await home.start();
    const served = await examine(home);
    assert.deepEqual([served.failed, served.warned], [[], ['engine own container']]);
    // The daemon writes the page when it has started, sooner or later than this.
    const left = await readdir(join(home.folder, 'backups'));
    assert.deepEqual(
      left.filter((name) => name !== 'RECOVERY.md'),
      ['lifeboat.json'],
    );
    const text = await home.lifeboat(['doctor']);
    assert.match(text.stdout, /^engine\n {2}✔ socket/);
    assert.match(text.stdout, /! \d+ of \d+ checks passed, 1 warning\n$/);
  });

  it('names a destination that is away, a source that cannot be asked, and what is written wrongly', async () => {
    await using home = await makeHome(stack.project, (folder) => ({
      LIFEBOAT_DEST_SECOND_URL: `file://${folder}/second`,
      LIFEBOAT_POSTGRES_USER: 'nobody',
      LIFEBOAT_SCHEDUL: '@daily',
    }));
    const { code, failed, warned, report } = await examine(home);
    assert.equal(code, 1);
    assert.deepEqual(failed, ['destinations second', 'sources db/postgres']);
    assert.ok(warned.includes('configuration sidecar'), String(warned));
    // Nobody must have a channel; one should know what that means.
    assert.equal(find(report, 'channels')?.status, 'note');
    assert.match(find(report, 'second')?.hint ?? '', /mounted/);
    assert.match(find(report, 'db/postgres')?.message ?? '', /nobody/);
    assert.match(find(report, 'sidecar')?.hint ?? '', /LIFEBOAT_SCHEDUL /);
    mkdirSync(join(home.folder, 'second'));
    assert.deepEqual((await examine(home)).failed, ['sources db/postgres']);
  });

  it('fault 51: a destination that was unmounted is named', async () => {
    await using home = await makeHome(stack.project, webhook);
    await examine(home);
    await rm(join(home.folder, 'backups'), { recursive: true });
    mkdirSync(join(home.folder, 'backups'));
    const { code, report } = await examine(home);
    assert.equal(code, 1);
    assert.match(find(report, 'local')?.message ?? '', /was used before/);
    await assert.rejects(stat(join(home.folder, 'backups', 'lifeboat.json')), 'and was not marked anew');
  });

  it('works without the Engine, and with a configuration that nothing else starts with', async () => {
    await using home = await makeHome(stack.project, {
      ...webhook,
      DOCKER_HOST: 'unix:///nonexistent/docker.sock',
      LIFEBOAT_STRICT: 'true',
      LIFEBOAT_SCHEDUL: '@daily',
    });
    assert.equal((await home.lifeboat(['list'])).code, 78);
    const { code, failed, report } = await examine(home);
    assert.equal(code, 1);
    assert.deepEqual(failed, ['engine socket']);
    assert.match(find(report, 'socket')?.message ?? '', /there is no such file.*does not answer/);
    assert.match(find(report, 'socket')?.hint ?? '', /mount \/var\/run\/docker\.sock/);
  });

  it('fault 106: the daemon says at its start what a socket proxy lacks', async () => {
    await using proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
    proxy.forbidden = /POST .*\/stop/;
    await using home = await makeHome(stack.project, { ...webhook, DOCKER_HOST: proxy.host });
    const daemon = await home.start();
    await eventually(async () =>
      assert.match(
        daemon.log(),
        /self-test: stop and start: the socket proxy does not allow POST \/containers\/\{id\}\/stop/,
      ),
    );
    assert.match(daemon.log(), /ALLOW_STOP=1/);
    const { code, failed } = await examine(home);
    assert.equal(code, 1);
    assert.deepEqual(failed, ['engine stop and start']);
  });

  it('fault 106: a proxy that does not even tell the version is named with its switch', async () => {
    await using proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
    proxy.forbidden = /GET .*\/version/;
    await using home = await makeHome(stack.project, { ...webhook, DOCKER_HOST: proxy.host });
    const { report } = await examine(home);
    assert.match(find(report, 'socket')?.message ?? '', /does not allow GET \/version/);
    assert.match(find(report, 'socket')?.hint ?? '', /VERSION=1/);
  });
});
