import assert from 'node:assert/strict';
import { access, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { makeHome } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
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

test('fault 90: what a label says reaches no shell, no path and no terminal, and costs its neighbour nothing', async () => {
  const evil = '/tmp/lifeboat-was-here';
  const payloads: Readonly<Record<string, string>> = {
    schedule: `;touch ${evil}`,
    timeout: `$(touch ${evil})`,
    'postgres.user': `$(touch ${evil})`,
    'postgres.databases': `\`touch ${evil}\``,
    'mysql.user': `x'; touch ${evil}; '`,
    'command.filename': `../../../..${evil}`,
    'sqlite.files': `/x\n$(touch ${evil})`,
    'redis.port': 'x'.repeat(100_000),
    [`source.$(id>${evil}).command`]: 'x',
    notify: '\u001b]0;owned\u0007\u202egnp.exe 密码🔑',
    '\u001b[2J': 'x',
  };
  await using hostile = await startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: [
      ...['--init', ...composed('hostile'), '--label', 'lifeboat.command.run=printf %s hostile'],
      ...Object.entries(payloads).flatMap(([key, value]) => ['--label', `lifeboat.${key}=${value}`]),
    ],
  });
  await using neighbour = await startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: ['--init', ...composed('neighbour'), '--label', 'lifeboat.command.run=printf %s neighbour'],
  });
  await using home = await makeHome(project);
  const daemon = await home.start();
  const said: Ended[] = [];
  for (const line of [
    ['config', 'check'],
    ['config', 'show', '--origins'],
    ['plan'],
    ['backup'],
    ['status'],
    ['list'],
  ]) {
    said.push(await home.lifeboat(line));
  }
  assert.equal(said[0]?.code, 5, `${said[0]?.stdout}`);
  for (const text of [...said.flatMap(({ stdout, stderr }) => [stdout, stderr]), daemon.log()]) {
    assert.doesNotMatch(text, /(?![\t\n])[\p{Cc}\u202e]/u);
    assert.ok(text.length < 100_000, `${text.length} characters`);
  }
  const listed = JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: { service: string }[] };
  assert.ok(
    listed.backups.some(({ service }) => service === 'neighbour'),
    JSON.stringify(listed),
  );
  for (const { name } of [hostile, neighbour]) assert.equal(await docker('exec', name, 'ls', '/tmp'), '');
  await assert.rejects(access(evil), 'a shell of the sidecar was reached');
});

test('fault 91: a label changes neither the sidecar nor another container', async () => {
  const elsewhere = '/tmp/lifeboat-elsewhere';
  const attempts: Readonly<Record<string, string>> = {
    'dest.local.url': `file://${elsewhere}`,
    'dest.other.url': `file://${elsewhere}`,
    'data-dir': elsewhere,
    discovery: 'host',
    'docker.host': 'tcp://127.0.0.1:1',
    'label-prefix': 'evil',
    'restore-delay': '0',
    concurrency: '64',
    'services.victim.enable': 'false',
    'victim.enable': 'false',
    'notify.webhook.url': 'http://127.0.0.1:1/x',
  };
  const serve = (service: string, more: readonly string[] = []) =>
    startContainer('debian:trixie-slim', {
      args: ['sleep', 'infinity'],
      run: ['--init', ...composed(service), '--label', `lifeboat.command.run=printf %s ${service}`, ...more],
    });
  await using _victim = await serve('victim');
  await using home = await makeHome(project, { LIFEBOAT_RESTORE_DELAY: '1h' });
  const settings = async () => JSON.parse((await home.lifeboat(['config', 'show', '--json'])).stdout).settings;
  const before = await settings();
  await using _hostile = await serve(
    'hostile',
    Object.entries(attempts).flatMap(([key, value]) => ['--label', `lifeboat.${key}=${value}`]),
  );
  assert.deepEqual(await settings(), before);
  const checked = await home.lifeboat(['config', 'check']);
  for (const key of Object.keys(attempts))
    assert.ok(checked.stdout.includes(`lifeboat.${key}`), `${key}: ${checked.stdout}`);
  const ended = await home.lifeboat(['backup']);
  assert.match(ended.stdout + ended.stderr, /victim\/command/);
  const listed = JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as {
    backups: { service: string; destinations: string[] }[];
  };
  const victims = listed.backups.filter(({ service }) => service === 'victim');
  assert.deepEqual(
    victims.map(({ destinations }) => destinations),
    [['local']],
  );
  await assert.rejects(access(elsewhere), 'something was written where a label said');
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
