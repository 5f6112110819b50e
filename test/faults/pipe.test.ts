import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { reapHelpers } from '../../src/docker/helper.ts';
import { reapPipes } from '../../src/docker/pipe-folder.ts';
import { createShell } from '../../src/docker/shell.ts';
import { type ErrorCode, LifeboatError } from '../../src/domain/errors.ts';
import type { Piped, Redirectable, Shell } from '../../src/domain/shell.ts';
import type { Container } from '../../src/domain/types.ts';
import { checkScript } from '../../src/engines/redis/scripts.ts';
import { startSocketProxy } from '../fakes/socket-proxy.ts';
import { type Events, leftovers, watchEvents } from '../support/events.ts';
import { docker, eventually, forgetful, runId, startContainer, testApi } from '../support/testbed.ts';

const image = 'debian:trixie-slim';
const sh = (script: string) => ({ argv: ['sh', '-c', script] as const, place: { kind: 'helper' as const } });

/** A reader at the pipe that hands on what it gets, as a compressor does. */
function reader(piped: Piped, program = 'cat'): { readonly stdout: Readable } {
  const { stdout } = spawn('sh', ['-c', program], { stdio: [piped.fd, 'pipe', 'inherit'] });
  assert.ok(stdout);
  return { stdout };
}

function zeros(size: number): Readable {
  async function* bytes() {
    for (let left = size; left > 0; left -= 65_536) yield Buffer.alloc(Math.min(left, 65_536));
  }
  return Readable.from(bytes(), { objectMode: false });
}

/** Bytes that a child process writes, as a decoder does. */
function redirectable(size: number): Redirectable {
  const writeTo = async (descriptor: number, signal: AbortSignal) => {
    const child = spawn('head', ['-c', String(size), '/dev/zero'], { stdio: ['ignore', descriptor, 'ignore'], signal });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new LifeboatError('COMMAND_FAILED', 'nobody reads any more');
  };
  return Object.assign(Readable.from([]), { writeTo });
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
  let events: Events;
  let container: Container;
  before(async () => {
    await docker('volume', 'create', '--label', `lifeboat.test=${runId}`, volume);
    folder = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
    target = await startContainer(image, { args: ['sleep', 'infinity'], run: ['--init'] });
    const api = await testApi();
    const found = await api.container(target.id);
    assert.ok(found);
    container = found;
    shell = createShell(
      api,
      { id: runId, run: runId, pipes: { path: folder, volume } },
      forgetful(api),
      container,
      1_000,
    );
    events = watchEvents();
  });
  after(async () => {
    await events[Symbol.asyncDispose]();
    await target[Symbol.asyncDispose]();
    await docker('volume', 'rm', volume);
  });

  const nothingLeft = async () => {
    assert.deepEqual(await readdir(folder), []);
    assert.deepEqual(await leftovers(runId, events), []);
  };

  it('fault 13: passes every byte, also to a slow reader, and the secret only in the environment', async () => {
    const sizes = [0, 1, 65_536, 3_000_001];
    for (const size of sizes) {
      await using piped = await shell.pipe({
        ...sh(`[ "$SECRET" = 'a b"$\n%' ] && head -c ${size} /dev/zero`),
        env: { SECRET: 'a b"$\n%' },
      });
      const child = reader(piped, size === 65_536 ? 'sleep 1; cat' : 'cat');
      const [bytes, finished] = await Promise.all([buffer(child.stdout), piped.run(AbortSignal.timeout(60_000))]);
      assert.equal(bytes.length, size);
      assert.equal(finished.exitCode, 0);
    }
    await nothingLeft();
  });

  it('fault 46: twenty helpers of an image with volumes of its own leave not one behind', async () => {
    const withVolumes = 'postgres:17';
    assert.match(await docker('image', 'inspect', '-f', '{{json .Config.Volumes}}', withVolumes), /postgresql/);
    await using database = await startContainer(withVolumes, { args: ['sleep', 'infinity'], run: ['--init'] });
    const api = await testApi();
    const container = await api.container(database.id);
    assert.ok(container);
    const own = createShell(
      api,
      { id: runId, run: runId, pipes: { path: folder, volume } },
      forgetful(api),
      container,
      1_000,
    );
    for (let i = 0; i < 20; i += 1) {
      await using piped = await own.pipe(sh('ls -d /var/lib/postgresql/data'));
      const [bytes] = await Promise.all([buffer(reader(piped).stdout), piped.run(AbortSignal.timeout(60_000))]);
      assert.equal(String(bytes), '/var/lib/postgresql/data\n');
    }
    await nothingLeft();
  });

  it('fault 1: a helper that fails mid-stream fails the run before the pipe ends', async () => {
    await using piped = await shell.pipe(sh('head -c 2000000 /dev/zero; echo "out of luck" >&2; exit 3'));
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), /exit code 3: out of luck/);
    assert.equal((await reading).length, 2_000_000);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('a helper that never starts fails the run, and nobody hangs', async () => {
    await using piped = await shell.pipe({ ...sh('true'), place: { kind: 'helper', image: 'no-such-image:1' } });
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused('TOOL_MISSING'));
    assert.equal((await reading).length, 0);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 3: a helper that dies before it opens the pipe fails the run', async () => {
    await using piped = await shell.pipe({ argv: ['no-such-program'], place: { kind: 'helper' } });
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused('TOOL_MISSING'));
    assert.equal((await reading).length, 0);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 7: a helper that is killed from outside fails the run', async () => {
    await using piped = await shell.pipe(sh('head -c 100000 /dev/zero; sleep 60'));
    const child = reader(piped);
    child.stdout.once('data', async () => {
      const id = await docker('ps', '-q', '--filter', `label=lifeboat.owner=${runId}`);
      await docker('kill', id);
    });
    child.stdout.resume();
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused('DUMP_INCOMPLETE'));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 7: a helper that the kernel kills for memory fails the run', async () => {
    const place = { kind: 'helper', memoryBytes: 64 * 1024 ** 2 } as const;
    await using piped = await shell.pipe({
      ...sh('head -c 100000 /dev/zero; exec tail /dev/zero'),
      place,
    });
    const child = reader(piped);
    const reading = buffer(child.stdout);
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused('DUMP_INCOMPLETE'));
    assert.equal((await reading).length, 100_000);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 7: a checker that is killed fails, and nobody goes on feeding it', async () => {
    for (const input of [zeros(500_000_000), redirectable(500_000_000)]) {
      const checking = shell.run(sh('head -c 1000000 >/dev/null; exec sleep 60'), input, AbortSignal.timeout(60_000));
      checking.catch(() => {});
      await eventually(async () => {
        const id = await docker('ps', '-q', '--filter', `label=lifeboat.owner=${runId}`);
        await docker('kill', id);
      });
      await assert.rejects(checking, refused('DUMP_INCOMPLETE'));
    }
    await nothingLeft();
  });

  it('fault 12: 100 MB of messages do not hold up a helper', async () => {
    const script = 'head -c 1000000 /dev/zero; head -c 100000000 /dev/zero | tr "\\0" x >&2; head -c 1000000 /dev/zero';
    await using piped = await shell.pipe(sh(script));
    const child = reader(piped);
    const [bytes, finished] = await Promise.all([buffer(child.stdout), piped.run(AbortSignal.timeout(60_000))]);
    assert.equal(bytes.length, 2_000_000);
    assert.ok(finished.stderr.length <= 65_536);
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 46: what a killed process leaves ends by itself and is removed at the next start', async () => {
    const owner = `${runId}-killed`;
    const program = join(import.meta.dirname, 'die-piping.ts');
    const dying = spawn(process.execPath, [program, target.id, owner, folder, volume], { stdio: 'inherit' });
    const [, signal] = await once(dying, 'close');
    assert.equal(signal, 'SIGKILL');
    const state = () => docker('ps', '-a', '--filter', `label=lifeboat.owner=${owner}`, '--format', '{{.State}}');
    // Its reader is gone, so the helper has nobody to write to.
    await eventually(async () => assert.equal(await state(), 'exited'));
    assert.equal(await reapHelpers(await testApi(), owner), 1);
    await reapPipes({ path: folder, volume });
    assert.equal(await state(), '');
    assert.deepEqual(await leftovers(owner, events), []);
    await nothingLeft();
  });

  it('fault 46: a helper that is being made when the run is cancelled is not left behind', async () => {
    const api = await testApi();
    const cancelled = new AbortController();
    const cancelling: typeof api = {
      ...api,
      createHelper: (spec, signal) => {
        // The Engine has the request by then, and no answer is back yet.
        setTimeout(() => cancelled.abort(new LifeboatError('CANCELLED', 'a person cancelled it')), 5);
        return api.createHelper(spec, signal);
      },
    };
    const own = { id: runId, run: runId, pipes: { path: folder, volume } };
    const near = createShell(cancelling, own, forgetful(cancelling), container, 1_000);
    await using piped = await near.pipe(sh('echo made'));
    await assert.rejects(piped.run(cancelled.signal), refused('CANCELLED'));
    await piped[Symbol.asyncDispose]();
    await sleep(500); // What the Engine still made would be there by now.
    await nothingLeft();
  });

  it('a reader that dies ends the helper', async () => {
    await using piped = await shell.pipe(sh('exec cat /dev/zero'));
    reader(piped, 'head -c 1000 >/dev/null');
    await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused('COMMAND_FAILED'));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('fault 8: messages and answers that get lost on the way do not hold up a helper that has ended well', async () => {
    await using proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
    const api = await connectDocker({ host: proxy.host });
    const far = createShell(
      api,
      { id: runId, run: runId, pipes: { path: folder, volume } },
      forgetful(api),
      container,
      1_000,
    );
    proxy.trouble = { swallowEnd: true };
    proxy.mute = { request: /^POST .*\/wait/, times: 1 };
    {
      await using piped = await far.pipe(sh('head -c 2000000 /dev/zero'));
      const child = reader(piped);
      const [bytes] = await Promise.all([buffer(child.stdout), piped.run(AbortSignal.timeout(60_000))]);
      assert.equal(bytes.length, 2_000_000);
    }
    await nothingLeft();
  });

  it('fault 11: a container that is paused, or goes, while a helper reads from it fails the run', async () => {
    for (const [act, codes] of [
      ['pause', ['SOURCE_NOT_RUNNING']],
      ['kill', ['SOURCE_NOT_RUNNING']],
    ] as const) {
      await using other = await startContainer(image, { args: ['sleep', 'infinity'], run: ['--init'] });
      const found = await (await testApi()).container(other.id);
      assert.ok(found);
      const near = createShell(
        await testApi(),
        { id: runId, run: runId, pipes: { path: folder, volume } },
        forgetful(await testApi()),
        found,
        1_000,
      );
      {
        await using piped = await near.pipe({
          ...sh('head -c 100000 /dev/zero; exec sleep 60'),
          place: { kind: 'helper', network: 'target' },
        });
        const child = reader(piped);
        child.stdout.once('data', () => docker(act, other.name));
        child.stdout.resume();
        await assert.rejects(piped.run(AbortSignal.timeout(60_000)), refused(...codes));
      }
      assert.equal(
        await docker('inspect', '-f', '{{.State.Status}}', other.name),
        act === 'pause' ? 'paused' : 'exited',
      );
      await nothingLeft();
    }
  });

  it('a run that is cancelled kills its helper', async () => {
    await using piped = await shell.pipe(sh('exec sleep 60'));
    const child = reader(piped);
    child.stdout.resume();
    await assert.rejects(piped.run(AbortSignal.timeout(1_500)));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });

  it('feeds a helper that comes when everything was written already, and brings back what it says', async () => {
    for (const size of [0, 10, 2_000_000]) {
      for (const input of [zeros(size), redirectable(size)]) {
        const finished = await shell.run(sh('wc -c; echo done >&2'), input, AbortSignal.timeout(60_000));
        assert.deepEqual([finished.exitCode, finished.stdout.trim()], [0, String(size)]);
        assert.equal(finished.stderr.trim(), 'done');
      }
    }
    await nothingLeft();
  });

  it('lets a checker that opens its input by name come when everything was written already', async () => {
    // An open of a named pipe without a writer waits for ever; the RDB checkers open /dev/stdin a second time.
    const late = `redis-check-rdb() { sleep 1; wc -c <"$1"; }\n${checkScript}`;
    const finished = await shell.run(
      { ...sh(late), argv: ['bash', '-c', late] },
      redirectable(1_000),
      AbortSignal.timeout(60_000),
    );
    assert.equal(finished.stdout.trim(), '1000');
  });

  it('lets the command decide when it stops reading early', async () => {
    for (const input of [zeros(2_000_000), redirectable(2_000_000)]) {
      const refusing = await shell.run(sh('head -c 1000 >/dev/null; exit 4'), input, AbortSignal.timeout(60_000));
      assert.equal(refusing.exitCode, 4);
    }
    for (const input of [zeros(2_000_000), redirectable(2_000_000)]) {
      const content = await shell.run(sh('head -c 1000 >/dev/null'), input, AbortSignal.timeout(60_000));
      assert.equal(content.exitCode, 0);
    }
    await nothingLeft();
  });

  it('bytes that break off do not look like their end to a helper', async () => {
    async function* breaking() {
      yield Buffer.alloc(100_000);
      throw new LifeboatError('STORE_UNAVAILABLE', 'the store broke');
    }
    const mark = `lifeboat-${runId}-whole`;
    const script = `cat >/dev/null && touch /mark/${mark}`;
    const mount = { type: 'volume', name: volume, source: '', target: '/x', readOnly: false } as const;
    const place = { kind: 'helper', mounts: [{ mount, target: '/mark', readOnly: false }] } as const;
    await assert.rejects(
      shell.run({ ...sh(script), user: '0:0', place }, Readable.from(breaking()), AbortSignal.timeout(60_000)),
      refused('STORE_UNAVAILABLE'),
    );
    await nothingLeft();
  });

  it('does not touch the bytes when no helper can be made', async () => {
    const input = zeros(1_000_000);
    const nowhere = { ...sh('true'), place: { kind: 'helper', image: 'no-such-image:1' } } as const;
    await assert.rejects(shell.run(nowhere, input, AbortSignal.timeout(60_000)), refused('TOOL_MISSING'));
    assert.equal((await buffer(input)).length, 1_000_000);
    await nothingLeft();
  });

  it('a pipe of another user is written by nobody else', async () => {
    await using piped = await shell.pipe({ ...sh('id -u; stat -c %u:%g /pipe/pipe'), user: '1234:5678' });
    const child = reader(piped);
    const [bytes] = await Promise.all([buffer(child.stdout), piped.run(AbortSignal.timeout(60_000))]);
    assert.equal(bytes.toString(), '1234\n1234:5678\n');
    await assert.rejects(shell.pipe({ ...sh('true'), user: 'postgres' }), refused('INTERNAL'));
    await piped[Symbol.asyncDispose]();
    await nothingLeft();
  });
});
