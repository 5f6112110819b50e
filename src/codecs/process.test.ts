import assert from 'node:assert/strict';
import { openSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { CodecStep } from './codec.ts';
import { startProcess } from './process.ts';

const never = new AbortController().signal;
const sh = (script: string, signal = never, input?: number) =>
  startProcess({ argv: ['sh', '-c', script], refusal: 'COMMAND_FAILED', input }, signal);
const feed = (step: CodecStep, source: Iterable<unknown> | AsyncIterable<unknown>) => {
  assert.ok(step.input);
  return pipeline(source, step.input);
};
const block = Buffer.alloc(64 * 1024, 'x');
function* blocks(count: number) {
  for (let i = 0; i < count; i++) yield block;
}

test('keeps the bytes for a reader who comes late', async () => {
  const step = sh('cat');
  await feed(step, ['hello']);
  await sleep(300);
  assert.equal((await buffer(step.output)).toString(), 'hello');
});

test('passes bytes through a program', async () => {
  const step = sh('tr a-z A-Z');
  const [out] = await Promise.all([buffer(step.output), feed(step, ['hello'])]);
  assert.equal(out.toString(), 'HELLO');
});

test('an exit code other than 0 destroys the output after the bytes, with the tail of standard error', async () => {
  const step = sh('cat; echo first >&2; echo the disk is on fire >&2; exit 3');
  const seen: Buffer[] = [];
  const read = (async () => {
    for await (const chunk of step.output) seen.push(chunk);
  })();
  const fed = feed(step, ['some bytes']);
  await assert.rejects(read, { code: 'COMMAND_FAILED', message: 'sh failed with exit code 3: the disk is on fire' });
  await fed;
  assert.equal(Buffer.concat(seen).toString(), 'some bytes');
});

test('a program that is not there is named', async () => {
  const step = startProcess({ argv: ['no-such-tool'], refusal: 'COMMAND_FAILED' }, never);
  const [read, fed] = await Promise.allSettled([buffer(step.output), feed(step, blocks(100))]);
  for (const result of [read, fed]) {
    assert.equal(result.status, 'rejected');
    assert.equal(result.reason.code, 'TOOL_MISSING');
    assert.match(result.reason.message, /no-such-tool/);
  }
});

test('fault 31: a program that exits early turns the broken pipe of its writer into its own error', async () => {
  const step = sh('head -c 10 >/dev/null; echo bad header >&2; exit 1');
  const [read, fed] = await Promise.allSettled([buffer(step.output), feed(step, blocks(1000))]);
  for (const result of [read, fed]) {
    assert.equal(result.status, 'rejected');
    assert.match(result.reason.message, /exit code 1: bad header/);
  }
});

test('a program that exits with 0 before its input ended has failed', async () => {
  const step = sh('head -c 10');
  const [read, fed] = await Promise.allSettled([buffer(step.output), feed(step, blocks(1000))]);
  assert.equal(read.status, 'rejected');
  assert.equal(fed.status, 'rejected');
  assert.match(read.reason.message, /stopped reading before the end/);
  assert.match(fed.reason.message, /stopped reading before the end/);
});

test('a program that dies while nothing flows fails both sides', async () => {
  const step = sh('sleep 0.1; exit 7');
  const idle = new Readable({ read() {} });
  const [read, fed] = await Promise.allSettled([buffer(step.output), feed(step, idle)]);
  assert.equal(read.status, 'rejected');
  assert.equal(fed.status, 'rejected');
  assert.match(fed.reason.message, /exit code 7/);
});

test('a program that dies fails its writer although nobody reads its output', async () => {
  const idle = new Readable({ read() {} });
  await assert.rejects(feed(sh('exit 7'), idle), { message: /exit code 7/ });
});

test('a signal from outside is not called corruption', async () => {
  const step = startProcess({ argv: ['sh', '-c', 'kill -9 $$'], refusal: 'ARTIFACT_CORRUPT' }, never);
  step.input?.end();
  await assert.rejects(buffer(step.output), { code: 'COMMAND_FAILED', message: 'sh was killed by SIGKILL' });
});

test('reads a descriptor as its standard input, which stays open for its owner', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-process-'));
  t.after(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'f'), 'from the file');
  const fd = openSync(join(folder, 'f'), 'r');
  const step = sh('cat', never, fd);
  assert.equal(step.input, undefined);
  assert.equal((await buffer(step.output)).toString(), 'from the file');
});

test('an abort kills the program and leaves neither zombie nor child', async () => {
  const abort = new AbortController();
  const step = sh('echo $$; exec sleep 1000', abort.signal);
  const pid = await new Promise<string>((resolve) =>
    step.output.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  const reason = new LifeboatError('STALLED', 'no progress for an hour');
  abort.abort(reason);
  await assert.rejects(buffer(step.output), reason);
  await gone(pid);
});

test('an abort without a reason of ours is CANCELLED', async () => {
  const abort = new AbortController();
  const step = sh('exec sleep 1000', abort.signal);
  abort.abort();
  await assert.rejects(buffer(step.output), { code: 'CANCELLED' });
  assert.throws(() => sh('true', abort.signal), { code: 'CANCELLED' });
});

test('destroying the output kills the program', async () => {
  const step = sh('echo $$; exec sleep 1000');
  const pid = await new Promise<string>((resolve) =>
    step.output.once('data', (chunk) => resolve(String(chunk).trim())),
  );
  step.output.destroy();
  await gone(pid);
});

test('destroying an output that was never read kills the program', async () => {
  const before = await children();
  const step = sh('exec sleep 1000');
  step.output.destroy();
  await until(async () => (await children()).length <= before.length);
  assert.ok(step.input?.destroyed);
});

test('fault 55: a source that fails mid-way destroys the output with its error, never ends it', async () => {
  const step = sh('cat');
  const cause = new Error('connection lost');
  const source = (async function* () {
    yield* blocks(10);
    throw cause;
  })();
  const [read, fed] = await Promise.allSettled([buffer(step.output), feed(step, source)]);
  assert.deepEqual(
    [read, fed].map((r) => r.status === 'rejected' && r.reason),
    [cause, cause],
  );
});

test('an input that is closed before its end never counts as its end', async () => {
  const step = sh('cat');
  step.input?.write('half');
  step.input?.destroy();
  await assert.rejects(buffer(step.output), { code: 'DUMP_INCOMPLETE' });
});

test('a slow reader holds the program back', async () => {
  const step = sh('cat');
  let written = 0;
  const source = (async function* () {
    for (const chunk of blocks(300)) {
      written += chunk.length;
      yield chunk;
    }
  })();
  let read = 0;
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk, _encoding, callback) {
      read += chunk.length;
      setTimeout(callback, 1);
    },
  });
  const flow = pipeline(step.output, slow);
  const fed = feed(step, source);
  await sleep(150);
  assert.ok(written - read < 4 * 1024 * 1024, `${written - read} bytes were in flight`);
  await Promise.all([flow, fed]);
  assert.equal(read, 300 * block.length);
});

test('a talkative program costs bounded memory', async () => {
  const step = sh('head -c 50000000 /dev/zero >&2; echo the end >&2; exit 1');
  step.input?.end();
  const [read] = await Promise.allSettled([buffer(step.output)]);
  assert.equal(read.status, 'rejected');
  assert.ok(read.reason.context.stderr.length <= 16 * 1024);
  assert.match(read.reason.message, /the end$/);
});

async function children(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return pids.filter((_, i) => parents[i]?.replace(/^.*\) /, '').split(' ')[1] === String(process.pid));
}

async function gone(pid: string): Promise<void> {
  assert.match(pid, /^\d+$/);
  await until(async () => !(await children()).includes(pid));
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await isTrue()) return;
    await sleep(20);
  }
  assert.fail('it did not become true in 4 s');
}
