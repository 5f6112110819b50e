import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { childOutput } from './child.ts';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false; // ESRCH: there is no such process.
  }
}

const start = (script: string, input?: Readable, anyExitCode = false, signal?: AbortSignal) =>
  childOutput({ argv: ['sh', '-c', script] }, { input, anyExitCode }, signal);

describe('a command as a child process of ours', () => {
  it('delivers every byte, and its exit code when any is welcome', async () => {
    assert.equal((await buffer(start('head -c 3000000 /dev/zero').stdout)).length, 3_000_000);
    const output = start('echo x; exit 3', undefined, true);
    assert.equal(await text(output.stdout), 'x\n');
    assert.equal((await output.finished).exitCode, 3);
  });

  it('fails with its last words', async () => {
    await assert.rejects(text(start('echo half; echo "disk on fire" >&2; exit 1').stdout), /exit code 1: disk on fire/);
    await assert.rejects(text(start('kill -9 $$').stdout), { code: 'DUMP_INCOMPLETE' });
    const missing = childOutput({ argv: ['no-such-tool'] }, { anyExitCode: true }, undefined);
    await assert.rejects(text(missing.stdout), { code: 'TOOL_MISSING' });
  });

  it('reads input, may stop early, and never takes a source that breaks for its end', async () => {
    const chunks = (count: number) => Readable.from(Array.from({ length: count }, () => Buffer.alloc(100_000)));
    assert.equal((await buffer(start('cat', chunks(50)).stdout)).length, 5_000_000);
    assert.equal((await buffer(start('head -c 10', chunks(50)).stdout)).length, 10);
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('half');
        throw new Error('the store went away');
      })(),
    );
    await assert.rejects(text(start('cat', broken).stdout), /the store went away/);
  });

  it('ends with all it started when it is given up, however silent it is', async () => {
    for (const giveUp of ['abort', 'destroy'] as const) {
      const abort = new AbortController();
      const { stdout, finished } = start('sleep 1000 & echo $!; wait', undefined, false, abort.signal);
      const chunks = stdout[Symbol.asyncIterator]();
      const child = Number(String((await chunks.next()).value));
      const reading = chunks.next();
      if (giveUp === 'abort') abort.abort();
      else stdout.destroy();
      await assert.rejects(reading);
      await assert.rejects(finished, { code: 'CANCELLED' });
      while (isAlive(child)) await sleep(20, undefined, { signal: AbortSignal.timeout(5_000) });
    }
  });

  it('sees nothing of our environment but the path', async () => {
    process.env.CHILD_TEST_SECRET = 'key';
    assert.doesNotMatch(await text(start('env').stdout), /CHILD_TEST_SECRET/);
  });
});
