import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { createShell } from '../../src/docker/shell.ts';
import { type ErrorCode, LifeboatError } from '../../src/domain/errors.ts';
import type { Piped, Shell } from '../../src/domain/shell.ts';
import { leftovers } from '../support/stack.ts';
import { docker, forgetful, runId, startContainer, testApi } from '../support/testbed.ts';

const image = 'debian:trixie-slim';
const sh = (script: string) => ({ argv: ['sh', '-c', script] as const, place: { kind: 'helper' as const } });

/** A reader at the pipe that hands on what it gets, as a compressor does. */
function reader(piped: Piped, program = 'cat'): { readonly stdout: Readable } {
  const { stdout } = spawn('sh', ['-c', program], { stdio: [piped.fd, 'pipe', 'inherit'] });
  assert.ok(stdout);
  return { stdout };
}

function refused(...codes: ErrorCode[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LifeboatError, String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}

describe('named pipes between a helper and us', { concurrency: false }, () => {
  const volume = `lifeboat-${runId}-pipes`;
  let target: Awaited<ReturnType<typeof startContainer>>;
  let shell: Shell;
  let folder: string;
  let since: Date;
  before(async () => {
    await docker('volume', 'create', '--label', `lifeboat.test=${runId}`, volume);
    folder = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
    target = await startContainer(image, { args: ['sleep', 'infinity'], run: ['--init'] });
    const api = await testApi();
    const container = await api.container(target.id);
    assert.ok(container);
    shell = createShell(api, { id: runId, run: runId, pipes: { path: folder, volume } }, forgetful, container, 1_000);
    since = new Date();
  });
  after(async () => {
    await target[Symbol.asyncDispose]();
    await docker('volume', 'rm', volume);
  });

  const nothingLeft = async () => {
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await leftovers(runId, since), []);
  };

  it('passes every byte, also to a slow reader, and the secret only in the environment', async () => {
    const sizes = [0, 1, 65_536, 3_000_001];
    for (const size of sizes) {
      await using piped = await shell.pipe('out', {
        ...sh(`[ "$SECRET" = 'a b"$\n%' ] && head -c ${size} /dev/zero`),
        env: { SECRET: 'a b"$\n%' },
      });
      const child = reader(piped, size === 65_536 ? 'sleep 1; cat' : 'cat');
      const [bytes, finished] = await Promise.all([buffer(child.stdout), piped.run(AbortSignal.timeout(30_000))]);
      assert.equal(bytes.length, size);
      assert.equal(finished.exitCode, 0);
    }
    await nothingLeft();
  });

  it('a helper that fails mid-stream fails the run before the pipe ends', async () => {
    await using piped = await shell.pipe('out', sh('head -c 2000000 /dev/zero; echo "out of luck" >&2; exit 3'));
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(30_000)), /exit code 3: out of luck/);
    assert.equal((await reading).length, 2_000_000);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a helper that never starts fails the run, and nobody hangs', async () => {
    await using piped = await shell.pipe('out', { ...sh('true'), place: { kind: 'helper', image: 'no-such-image:1' } });
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(30_000)), refused('TOOL_MISSING'));
    assert.equal((await reading).length, 0);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a helper that dies before it opens the pipe fails the run', async () => {
    await using piped = await shell.pipe('out', { argv: ['no-such-program'], place: { kind: 'helper' } });
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(30_000)), refused('TOOL_MISSING'));
    assert.equal((await reading).length, 0);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a helper that is killed from outside fails the run', async () => {
    await using piped = await shell.pipe('out', sh('head -c 100000 /dev/zero; sleep 60'));
    const child = reader(piped);
    child.stdout.once('data', async () => {
      const id = await docker('ps', '-q', '--filter', `label=lifeboat.owner=${runId}`);
      await docker('kill', id);
    });
    child.stdout.resume();
    await assert.rejects(piped.run(AbortSignal.timeout(30_000)), refused('DUMP_INCOMPLETE'));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a reader that dies ends the helper', async () => {
    await using piped = await shell.pipe('out', sh('exec cat /dev/zero'));
    reader(piped, 'head -c 1000 >/dev/null');
    await assert.rejects(piped.run(AbortSignal.timeout(30_000)), refused('COMMAND_FAILED'));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a run that is cancelled kills its helper', async () => {
    await using piped = await shell.pipe('out', sh('exec sleep 60'));
    const child = reader(piped);
    child.stdout.resume();
    await assert.rejects(piped.run(AbortSignal.timeout(1_500)));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('feeds a helper that comes when everything was written already', async () => {
    for (const size of [0, 10]) {
      await using piped = await shell.pipe('in', sh(`[ $(wc -c) = ${size} ]`));
      const child = spawn('head', ['-c', String(size), '/dev/zero'], { stdio: ['ignore', piped.fd, 'ignore'] });
      await new Promise((resolve) => child.on('close', resolve));
      await piped.run(AbortSignal.timeout(10_000));
    }
    await nothingLeft();
  });

  it('feeds a helper, and notices one that refuses what it reads', async () => {
    for (const [script, ok] of [
      ['[ $(wc -c) = 2000000 ]', true],
      ['head -c 1000 >/dev/null; exit 4', false],
    ] as const) {
      await using piped = await shell.pipe('in', sh(script));
      const child = spawn('head', ['-c', '2000000', '/dev/zero'], { stdio: ['ignore', piped.fd, 'ignore'] });
      const gone = new Promise((resolve) => child.on('close', resolve));
      const running = piped.run(AbortSignal.timeout(30_000));
      await (ok ? running : assert.rejects(running, /exit code 4/));
      await gone;
    }
    await nothingLeft();
  });
});
