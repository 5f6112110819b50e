import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Status } from '../../src/runs/status/status.ts';
import { type Home, makeHome } from '../support/daemon.ts';
import { docker, eventually, everyVersion, runId, startContainer } from '../support/testbed.ts';

/** A service that is healthy once it has this file; its dump fails without it. */
const isReady = 'test -e /tmp/ready';

async function startService(project: string) {
  const labels = { project, service: 'db', 'container-number': '1' };
  return startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: [
      ...['--init', '--health-cmd', isReady, '--health-interval', '1s', '--health-start-period', '300s'],
      ...Object.entries(labels).flatMap(([name, value]) => ['--label', `com.docker.compose.${name}=${value}`]),
      ...['--label', `lifeboat.command.run=${isReady} && echo data`],
    ],
  });
}

describe('fault 19: a service whose health check has not passed', { concurrency: true }, () => {
  const health = (name: string) => docker('inspect', '-f', '{{.State.Health.Status}}', name);
  const isRunning = (home: Home) =>
    eventually(async () => {
      const { stdout } = await home.lifeboat(['status', '--json']);
      assert.equal((JSON.parse(stdout) as Status).running.length, 1);
    });

  it('is waited for while it starts', async () => {
    const project = `lbs${runId}${process.pid}`;
    await using service = await startService(project);
    await using home = await makeHome(project);
    await home.start();
    const backup = home.lifeboat(['backup', 'db']);
    await isRunning(home);
    assert.equal(await health(service.name), 'starting');
    await docker('exec', service.name, 'touch', '/tmp/ready');
    const ended = await backup;
    assert.equal(ended.code, 0, ended.stderr);
    assert.equal(await health(service.name), 'healthy');
  });

  it('is waited for when it was well before and may be again', async () => {
    const project = `lbw${runId}${process.pid}`;
    await using service = await startService(project);
    await using home = await makeHome(project);
    await home.start();
    await docker('exec', service.name, 'touch', '/tmp/ready');
    await eventually(async () => assert.equal(await health(service.name), 'healthy'));
    await docker('exec', service.name, 'rm', '/tmp/ready');
    await eventually(async () => assert.equal(await health(service.name), 'unhealthy'));
    const backup = home.lifeboat(['backup', 'db']);
    await isRunning(home);
    await docker('exec', service.name, 'touch', '/tmp/ready');
    const ended = await backup;
    assert.equal(ended.code, 0, ended.stderr);
  });

  // It takes the two minutes that a service is given.
  const skip = !everyVersion && 'npm run test:all';
  it('fails its backup with the reason and the next step when it does not get well', { skip }, async () => {
    const project = `lbu${runId}${process.pid}`;
    await using service = await startService(project);
    await using home = await makeHome(project);
    const ended = await home.lifeboat(['backup', 'db']);
    assert.equal(ended.code, 1, ended.stdout);
    assert.match(ended.stderr, /service db is starting according to its health check/);
    assert.ok(ended.stderr.includes(`docker inspect ${service.name} --format '{{json .State.Health}}'`), ended.stderr);
    assert.deepEqual(JSON.parse((await home.lifeboat(['list', '--json'])).stdout).backups, []);
  });
});
