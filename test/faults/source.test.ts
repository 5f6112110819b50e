import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeHome } from '../support/daemon.ts';
import { runId, startContainer } from '../support/testbed.ts';

/** Sources that are not what one expects. */

const project = `lbf${runId}${process.pid}`;
const start = (service: string, number: number, dump: string) => {
  const labels = { project, service, 'container-number': String(number) };
  const composed = Object.entries(labels).flatMap(([name, value]) => [
    '--label',
    `com.docker.compose.${name}=${value}`,
  ]);
  return startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: ['--init', ...composed, '--label', `lifeboat.command.run=${dump}`],
  });
};

test('fault 2: a dump that ends well without a byte is no backup', async () => {
  await using _app = await start('empty', 1, 'true');
  await using home = await makeHome(project);
  const ended = await home.lifeboat(['backup', '--json']);
  assert.equal(ended.code, 1, ended.stderr);
  assert.match(ended.stdout + ended.stderr, /DUMP_EMPTY|is empty/);
  const listed = await home.lifeboat(['list', '--json']);
  assert.deepEqual(JSON.parse(listed.stdout).backups, []);
});

test('fault 18: the containers of a scaled service are sources of their own', async () => {
  await using _first = await start('scaled', 1, 'echo from the first');
  await using _second = await start('scaled', 2, 'echo from the second container');
  await using home = await makeHome(project);
  const ended = await home.lifeboat(['backup']);
  assert.equal(ended.code, 0, ended.stderr);
  const listed = await home.lifeboat(['list', '--json']);
  const backups = JSON.parse(listed.stdout).backups as { service: string; source: string; plainBytes: number }[];
  const kept = backups.map(({ service, source, plainBytes }) => `${service}/${source} ${plainBytes}`).toSorted();
  assert.deepEqual(kept, ['scaled/command 15', 'scaled/command-2 26'], listed.stdout);
});
