import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { createShell } from '../../src/docker/shell.ts';
import { type ErrorCode, LifeboatError } from '../../src/domain/errors.ts';
import type { Shell } from '../../src/domain/shell.ts';
import { type SocketProxy, startSocketProxy } from '../fakes/socket-proxy.ts';
import { docker, eventually, forgetful, runId, shellOf, startContainer } from '../support/testbed.ts';

const image = 'debian:trixie-slim';
const sleeper = { args: ['sleep', 'infinity'], run: ['--init', '--stop-timeout', '1'] };
const sh = (script: string) => ({ argv: ['sh', '-c', script] as const });

/** Reads everything; resolves with the byte count or rejects as the stream does. */
async function drain(
  shell: Shell,
  script: string,
  onBytes: (total: number) => Promise<void> = async () => {},
): Promise<number> {
  const { stdout } = await shell.output(sh(script), AbortSignal.timeout(60_000));
  let total = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    total += chunk.length;
    await onBytes(total);
  }
  return total;
}

function refused(...codes: ErrorCode[]) {
  return (error: unknown) => {
    assert.ok(error instanceof LifeboatError, String(error));
    assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
    return true;
  };
}

describe('faults of the producer and of the stream', { concurrency: false }, () => {
  it('fault 1: a tool that fails after half its output is a failure with its last words', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    await assert.rejects(
      drain(shell, 'head -c 5000000 /dev/zero; echo "disk on fire" >&2; exit 1'),
      (error: unknown) => {
        refused('COMMAND_FAILED')(error);
        return /disk on fire/.test(String(error));
      },
    );
  });

  it('fault 3: a tool that is not there is named', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    await assert.rejects(shell.text({ argv: ['mysqldump', '--version'] }), refused('TOOL_MISSING'));
  });

  for (const [number, what, act, codes] of [
    [4, 'killed', (name: string) => docker('kill', name), ['SOURCE_NOT_RUNNING']],
    [5, 'restarted', (name: string) => docker('restart', '-t', '0', name), ['SOURCE_REPLACED', 'SOURCE_NOT_RUNNING']],
    [6, 'removed', (name: string) => docker('rm', '-f', name), ['SOURCE_REPLACED']],
  ] as const) {
    it(`fault ${number}: a container that is ${what} during the dump fails it`, async () => {
      await using container = await startContainer(image, sleeper);
      const shell = await shellOf(container.id);
      let struck: Promise<string> | undefined;
      const reading = drain(shell, 'while :; do head -c 100000 /dev/zero; sleep 0.05; done', async (total) => {
        if (total > 300_000) struck ??= act(container.name);
      });
      const outcome = reading.then(() => assert.fail('the dump ended well'), refused(...codes));
      await outcome;
      await struck;
      if (number === 6)
        await docker('run', '-d', '--name', container.name, '--label', `lifeboat.test=${runId}`, image, 'true');
    });
  }

  it('fault 7: a killed dump process is a failure', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    await assert.rejects(
      drain(shell, 'head -c 1000000 /dev/zero; kill -KILL $$'),
      refused('COMMAND_FAILED', 'DUMP_INCOMPLETE'),
    );
  });

  it('fault 7: a dump process that the kernel kills for memory is a failure', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    await docker('update', '--memory', '40m', '--memory-swap', '40m', container.name);
    await assert.rejects(drain(shell, 'head -c 1000000 /dev/zero; tail /dev/zero'), (error: unknown) => {
      refused('COMMAND_FAILED', 'DUMP_INCOMPLETE', 'SOURCE_NOT_RUNNING')(error);
      return /137|killed/i.test(String(error));
    });
  });

  it('fault 12: 100 MB of messages between the data neither block nor fill the memory', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    const before = process.memoryUsage().rss;
    const total = await drain(
      shell,
      'head -c 1000000 /dev/zero; head -c 100000000 /dev/zero | tr "\\0" x >&2; head -c 1000000 /dev/zero',
    );
    assert.equal(total, 2_000_000);
    assert.ok(process.memoryUsage().rss - before < 200e6, 'the tail of the messages is bounded');
  });

  it('fault 13: a slow reader gets every byte, and the memory stays flat', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    const before = process.memoryUsage().rss;
    let peak = 0;
    const total = await drain(shell, 'head -c 60000000 /dev/zero', async () => {
      peak = Math.max(peak, process.memoryUsage().rss);
      await sleep(2);
    });
    assert.equal(total, 60_000_000);
    assert.ok(peak - before < 100e6, `${Math.round((peak - before) / 1e6)} MB more`);
  });

  it('fault 13: 20 dumps read at 150 kB/s lose nothing', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    const sizes = Array.from({ length: 20 }, (_, i) => 1_200_000 + i * 60_007);
    const read = (size: number) =>
      drain(shell, `head -c ${size} /dev/zero`, async (total) => sleep(total > size - 400_000 ? 60 : 1));
    assert.deepEqual(await Promise.all(sizes.map(read)), sizes);
  });

  it('fault 19: a stopped container is told of, not waited for', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    await docker('stop', '-t', '0', container.name);
    await assert.rejects(shell.text({ argv: ['true'] }), refused('SOURCE_NOT_RUNNING'));
  });

  it('ends a dump that nobody reads any more', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    const { stdout } = await shell.output(sh('exec sleep 4711'));
    stdout.resume();
    await eventually(() => docker('exec', container.name, 'sh', '-c', 'grep -l 4711 /proc/*/cmdline'));
    stdout.destroy();
    await eventually(async () => {
      const left = await docker(
        'exec',
        container.name,
        'sh',
        '-c',
        'for f in /proc/[0-9]*/cmdline; do tr "\\0" " " < $f; echo; done',
      );
      assert.doesNotMatch(left, /^sleep 4711/m);
    });
  });

  it('tells a reader that stops early from a source that breaks', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    const endless = Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(65_536);
      })(),
    );
    const finished = await shell.run(sh('head -c 10; exit 3'), endless, AbortSignal.timeout(60_000));
    assert.equal(finished.exitCode, 3);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.alloc(65_536);
        throw new LifeboatError('STORE_UNAVAILABLE', 'the store broke');
      })(),
    );
    await assert.rejects(
      shell.run(sh('cat >/dev/null'), broken, AbortSignal.timeout(60_000)),
      refused('STORE_UNAVAILABLE'),
    );
  });
});

describe('faults between us and the Engine', { concurrency: false }, () => {
  let proxy: SocketProxy;
  before(async () => {
    proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
  });
  after(() => proxy[Symbol.asyncDispose]());

  async function through(id: string): Promise<Shell> {
    proxy.trouble = {};
    const api = await connectDocker({ host: proxy.host });
    const container = await api.container(id);
    assert.ok(container);
    return createShell(api, { id: runId, run: runId }, forgetful(api), container, 1_000);
  }

  it('fault 8: a proxy that cuts a quiet dump cleanly does not make it complete', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { idleCutMs: 1_000 };
    await assert.rejects(
      drain(shell, 'head -c 100000 /dev/zero; sleep 4; head -c 100000 /dev/zero'),
      refused('DUMP_INCOMPLETE'),
    );
    proxy.trouble = {};
  });

  it('fault 8: an end that never arrives makes nobody wait for ever', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { halfClose: 'swallowed' };
    // A dump is let go by a line; a command that reads what we send, only by the end of it.
    assert.equal(await drain(shell, 'head -c 100000 /dev/zero'), 100_000);
    assert.doesNotMatch(
      await docker('top', container.name, '-o', 'pid,args'),
      /head|LIFEBOAT/,
      'nothing waits on in it',
    );
    const content = shell.run(sh('exit 0'), 'question', AbortSignal.timeout(60_000));
    await assert.rejects(content, (error: unknown) => {
      refused('DUMP_INCOMPLETE')(error);
      return (error as LifeboatError).retryable && /does not leave/.test(String(error));
    });
    // What the trailer and the Engine agree on needs no end of the stream.
    proxy.trouble = { swallowEnd: true };
    assert.equal(await drain(shell, 'head -c 100000 /dev/zero'), 100_000);
    const killed = drain(shell, 'head -c 100000 /dev/zero; kill -KILL $PPID; sleep 1');
    await assert.rejects(killed, (error: unknown) => {
      refused('DUMP_INCOMPLETE')(error);
      return /is over, but the end of its output never came/.test(String(error));
    });
    proxy.trouble = {};
  });

  it('fault 8: a client whose end never arrives does not keep a conversation waiting', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { swallowEnd: true };
    await using session = await shell.session(
      sh('while read -r line; do echo "$line"; [ "$line" != die ] || exit 0; done'),
    );
    assert.equal(await session.ask('one\nmark', 'mark'), 'one');
    await assert.rejects(session.ask('die', 'mark', AbortSignal.timeout(60_000)), refused('DUMP_INCOMPLETE'));
    proxy.trouble = {};
  });

  it('fault 8: a short command whose input never ends for it is given up', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { halfClose: 'swallowed' };
    const asked = shell.run({ ...sh('cat'), timeoutMs: 2_000 }, 'question', AbortSignal.timeout(60_000));
    await assert.rejects(asked, (error: unknown) => {
      refused('STALLED')(error);
      return (error as LifeboatError).retryable;
    });
    proxy.trouble = {};
  });

  it('fault 8: a helper is waited for no longer than it lives, whatever of its messages gets lost', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    const place = { kind: 'helper' } as const;
    proxy.mute = { request: /^POST .*\/wait/, times: 1 };
    assert.equal(await shell.text({ ...sh('echo ok'), place }, AbortSignal.timeout(60_000)), 'ok\n');
    assert.equal(proxy.mute.times, 0);
    proxy.mute = undefined;
    proxy.trouble = { swallowEnd: true };
    assert.equal(await shell.text({ ...sh('echo ok'), place }, AbortSignal.timeout(60_000)), 'ok\n');
    proxy.trouble = {};
  });

  it('fault 9: a connection reset inside a frame does not make it complete', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { resetAfter: 1_000_003 };
    await assert.rejects(drain(shell, 'head -c 5000000 /dev/zero'), refused('DUMP_INCOMPLETE'));
    proxy.trouble = {};
  });

  it('fault 10: a damaged frame header is an error, never data', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.trouble = { flipAt: 0 };
    await assert.rejects(drain(shell, 'head -c 5000000 /dev/zero'), refused('DUMP_INCOMPLETE'));
    proxy.trouble = {};
  });

  it('fault 16: an Engine that goes away fails the dump and says so', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    const reading = drain(shell, 'while :; do head -c 100000 /dev/zero; sleep 0.05; done', async (total) => {
      if (total > 300_000) proxy.away = true;
    });
    await assert.rejects(reading, refused('DOCKER_UNAVAILABLE', 'DUMP_INCOMPLETE'));
    proxy.away = false;
  });

  it('fault 106: what a socket proxy does not allow is named', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await through(container.id);
    proxy.forbidden = /^POST .*\/exec/;
    await assert.rejects(shell.text({ argv: ['true'] }), (error: unknown) => {
      refused('DOCKER_REFUSED')(error);
      return /POST \/containers\/\{id\}\/exec/.test(String(error));
    });
    proxy.forbidden = undefined;
  });

  it('fault 11: a paused container fails the dump after a while of silence and stays paused', async () => {
    await using container = await startContainer(image, sleeper);
    const shell = await shellOf(container.id);
    let paused: Promise<string> | undefined;
    const reading = drain(shell, 'while :; do head -c 100000 /dev/zero; sleep 0.05; done', async (total) => {
      if (total > 300_000) paused ??= docker('pause', container.name);
    });
    await assert.rejects(reading, refused('SOURCE_NOT_RUNNING'));
    assert.equal(await paused, container.name);
    assert.equal(await docker('inspect', '-f', '{{.State.Paused}}', container.name), 'true');
    await docker('unpause', container.name);
  });
});
