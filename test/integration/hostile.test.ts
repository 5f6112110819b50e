import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { makeHome } from '../support/daemon.ts';
import { docker, dockerWithInput, runId, startContainer } from '../support/testbed.ts';

/** What somebody else wrote: into an image, or onto the command line. */

const project = `lbh${runId}${process.pid}`;
const composed = (service: string) => [
  ...['--label', `com.docker.compose.project=${project}`],
  ...['--label', `com.docker.compose.service=${service}`],
  ...['--label', 'com.docker.compose.container-number=1'],
];

test('fault 92: labels that an image brings configure nothing, those of the container do', async () => {
  const image = `lifeboat-test-baked:${runId}`;
  await dockerWithInput(
    `FROM debian:trixie-slim
     LABEL lifeboat.enable=false lifeboat.command.run="touch /tmp/evil; echo x" lifeboat.schedule=@yearly
     CMD ["sleep", "infinity"]`,
    ...['build', '-q', '-t', image, '-'],
  );
  try {
    await using hostile = await startContainer(image, {
      run: ['--init', ...composed('hostile'), '--label', 'lifeboat.schedule=@hourly'],
    });
    await using home = await makeHome(project);
    const checked = await home.lifeboat(['config', 'check', '--json']);
    const { problems } = JSON.parse(checked.stdout) as { problems: { message: string }[] };
    const baked = problems.map(({ message }) => message).filter((message) => message.includes('comes from its image'));
    assert.equal(baked.length, 2, checked.stdout);
    const shown = await home.lifeboat(['config', 'show', '--origins']);
    assert.match(shown.stdout, /^service hostile\n {2}enable +true +default\n {2}schedule +@hourly +label/m);
    const plan = await home.lifeboat(['plan', '--json']);
    assert.deepEqual(JSON.parse(plan.stdout).sources, [], plan.stdout);
    assert.equal((await home.lifeboat(['backup'])).code === 0, false, 'there is nothing to back up');
    assert.equal(await docker('exec', hostile.name, 'sh', '-c', 'ls /tmp'), '', 'the command of the image was run');
  } finally {
    await docker('rmi', '-f', image);
  }
});

test('fault 108: what a dump shouts on its standard error reaches neither terminal nor log unshortened or obeyed', async () => {
  const shout = "printf '\\033]0;owned\\007\\033[2J\\r\\nlast words\\033[31m' >&2; exit 3";
  const flood = `head -c 30000000 /dev/zero | tr '\\0' 'x' >&2; ${shout}`;
  await using _app = await startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: ['--init', ...composed('loud'), '--label', `lifeboat.command.run=${flood}`],
  });
  await using home = await makeHome(project);
  const daemon = await home.start();
  const ended = await home.lifeboat(['backup']);
  assert.equal(ended.code, 1, ended.stderr);
  const json = await home.lifeboat(['logs', '--json']);
  for (const said of [ended.stdout, ended.stderr, daemon.log(), json.stdout]) {
    assert.ok(said.length < 20_000, `${said.length} characters`);
    assert.doesNotMatch(said, /(?![\t\n])\p{Cc}/u);
  }
  assert.match(ended.stderr, /exit code 3.*last words/s);
  assert.match(daemon.log(), /last words/);
});

test('fault 100: what leads out of its folder is no id, in any command that takes one', async () => {
  await using _app = await startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: [
      '--init',
      ...composed('app'),
      '--label',
      'lifeboat.command.run=echo x',
      '--label',
      'lifeboat.command.restore=cat',
    ],
  });
  await using home = await makeHome(project);
  const made = await home.lifeboat(['backup']);
  assert.equal(made.code, 0, made.stderr);
  const before = await readdir(home.folder, { recursive: true });
  for (const id of ['../../../etc/passwd', '/a/../../b', '%2e%2e%2fx']) {
    const lines = [['show'], ['logs'], ['cancel'], ['verify'], ['restore', 'app', '--yes', '--at']];
    await Promise.all(
      lines.map(async (line) => {
        const ended = await home.lifeboat([...line, id]);
        assert.ok(
          [2, 13].includes(ended.code),
          `${line.join(' ')} ${id}: ${ended.code} ${ended.stdout}${ended.stderr}`,
        );
      }),
    );
  }
  assert.deepEqual(
    (await readdir(home.folder, { recursive: true })).filter((name) => !before.includes(name)),
    [],
  );
});
