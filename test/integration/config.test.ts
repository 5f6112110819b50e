import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { docker, runId, startContainer } from '../support/testbed.ts';

/** `config …` as people call it: in a process of its own, beside a real Engine or with none. */

const main = join(import.meta.dirname, '../../src/main.ts');
const canary = 'https://hooks.example.org/services/canary-9f3k';

function lifeboat(args: readonly string[], settings: Readonly<Record<string, string>>, stdin = '') {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('LIFEBOAT_'));
  return ended(process.execPath, [main, ...args], stdin, { ...Object.fromEntries(own), ...settings });
}

function ended(program: string, args: readonly string[], stdin: string, env = process.env) {
  const child = spawn(program, args, { env });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
    });
  }
  child.stdin.end(stdin);
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...said }));
  });
}

test('config check tells of the sidecar, of the services in scope and of strangers in the file', async () => {
  const project = `lbcfg${runId}${process.pid}`;
  await using folder = await scratch();
  await writeFile(join(folder.path, 'config.yaml'), 'services:\n  dbb:\n    schedule: "@hourly"\n');
  const compose = ['project', 'service'].flatMap((name) => [
    '--label',
    `com.docker.compose.${name}=${name === 'project' ? project : 'db'}`,
  ]);
  await using _db = await startContainer('debian:trixie-slim', {
    args: ['sleep', 'infinity'],
    run: ['--init', ...compose, '--label', 'lifeboat.shedule=@daily', '--label', 'lifeboat.timeout=7dd'],
  });
  const settings = {
    LIFEBOAT_DISCOVERY: 'projects',
    LIFEBOAT_PROJECTS: project,
    LIFEBOAT_DEST_LOCAL_URL: 'file:///backups',
    LIFEBOAT_CONFIG: join(folder.path, 'config.yaml'),
    LIFEBOAT_NOTIFY_SLACK_URL: canary,
  };
  const found = await lifeboat(['config', 'check', '--json'], settings);
  assert.equal(found.code, 5, found.stderr);
  const { problems } = JSON.parse(found.stdout) as { problems: { message: string; severity: string }[] };
  assert.deepEqual(
    problems.map(({ severity, message }) => `${severity}: ${message.replace(/; allowed:.*/s, '')}`).sort(),
    [
      'error: label lifeboat.timeout on service db: "7dd" is not a valid duration',
      'warning: there is no service "dbb" – did you mean db?',
      'warning: unknown label lifeboat.shedule on service db – did you mean lifeboat.schedule?',
      // By which the tests find what they made.
      'warning: unknown label lifeboat.test on service db',
    ],
  );
  const shown = await lifeboat(['config', 'show', '--origins'], settings);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^ {2}notify\.slack\.url +•••• \(46 characters, from LIFEBOAT_NOTIFY_SLACK_URL\)/m);
  assert.match(shown.stdout, /^service db\n {2}enable +true +default$/m);
  assert.match(shown.stdout, /^destination local\n {2}url +file:\/\/\/backups +LIFEBOAT_DEST_LOCAL_URL$/m);
  assert.ok(!`${found.stdout}${found.stderr}${shown.stdout}${shown.stderr}`.includes('canary'), 'a secret is shown');
});

test('config check goes without the Engine, and says what it could not look at', async () => {
  const found = await lifeboat(['config', 'check'], {
    LIFEBOAT_DEST_LOCAL_URL: 'file:///backups',
    DOCKER_HOST: 'unix:///nowhere/docker.sock',
  });
  assert.equal(found.code, 0, found.stderr);
  assert.match(found.stderr, /labels of services are left out: .*\n✔ the configuration has no problem/s);
});

test('the configuration file that config example prints is one that config check takes', async () => {
  await using folder = await scratch();
  const settings = { DOCKER_HOST: 'unix:///nowhere/docker.sock', LIFEBOAT_CONFIG: join(folder.path, 'config.yaml') };
  const { stdout, code } = await lifeboat(['config', 'example'], {});
  assert.equal(code, 0);
  await writeFile(settings.LIFEBOAT_CONFIG, stdout);
  const checked = await lifeboat(['config', 'check'], settings);
  assert.equal(checked.code, 0, checked.stdout);
});

test('config check - checks a stack before it is deployed', { timeout: 120_000 }, async () => {
  const compose = await faultyStack();
  faultsNamed(await lifeboat(['config', 'check', '-'], {}, compose));
  const github = await lifeboat(['config', 'check', '-', '--format', 'github'], {}, compose);
  assert.match(github.stdout, /^::error title=Lifeboat configuration::Label lifeboat\.postgres\.password/m);
  assert.equal((await lifeboat(['config', 'check', '-'], {}, 'services: {}')).code, 2);
});

const image = process.env.LIFEBOAT_TEST_IMAGE;
const withoutImage = image === undefined && 'npm test builds the image';

test('config check - needs nothing but the image', { timeout: 120_000, skip: withoutImage }, async () => {
  const run = ['run', '--rm', '-i', '--network', 'none', image ?? '', 'config', 'check', '-'];
  faultsNamed(await ended('docker', run, await faultyStack()));
});

// --- utils ---

/** A stack as Compose prints it, with a slip and a secret in its labels. */
async function faultyStack(): Promise<string> {
  await using folder = await scratch();
  const file = join(folder.path, 'compose.yaml');
  await writeFile(
    file,
    `
services:
  db: {image: "postgres:17", labels: {lifeboat.exlude: x, lifeboat.postgres.password: canary}}
  sidecar: {image: "lifeboat:1", environment: {LIFEBOAT_DEST_LOCAL_URL: "file:///b", LIFEBOAT_NOTIFY_SLACK_URL: "${canary}"}}
`,
  );
  return await docker('compose', '-f', file, 'config', '--format', 'json');
}

function faultsNamed(found: { code: number | null; stdout: string; stderr: string }): void {
  assert.equal(found.code, 5, found.stderr);
  assert.match(
    found.stdout,
    /^WARN {2}Unknown label lifeboat\.exlude on service db – did you mean lifeboat\.exclude /m,
  );
  assert.match(found.stdout, /^ERROR Label lifeboat\.postgres\.password on service db holds a secret/m);
  assert.ok(!`${found.stdout}${found.stderr}`.includes('canary'), 'a secret is shown');
}

async function scratch() {
  const path = await mkdtemp(join(tmpdir(), 'lifeboat-config-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test('what is printed arrives whole at a reader that takes its time', async () => {
  const { stdout } = await lifeboat(['config', 'schema'], {});
  const line = '"$0" --disable-warning=ExperimentalWarning "$1" config schema | { sleep 3; cat; }';
  const slowly = await ended('sh', ['-c', line, process.execPath, main], '');
  assert.ok(Buffer.byteLength(stdout) > 64 * 1024, 'a pipe would hold it all');
  assert.ok(slowly.stdout === stdout, `${slowly.stdout.length} of ${stdout.length} characters came`);
});
