import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { never, servedDaemon } from '../../test/fakes/served-daemon.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { RunEvent } from '../domain/run-event.ts';
import type { BackupAsk, RestoreAsk } from '../runs/operations.ts';

describe('a run that a client asks the daemon for', { concurrency: false }, () => {
  const at = servedDaemon();
  const { serve, client, bus, warning } = at;

  it('streams the events of its own run while they happen, then the result', async () => {
    const heard: string[] = [];
    const goOn = Promise.withResolvers<void>();
    let ask: BackupAsk | undefined;
    await serve({
      backup: async (given) => {
        ask = given;
        bus.emit(warning('somebody-else', 'not mine'));
        bus.emit(warning(given.run ?? '', 'first'));
        await goOn.promise;
        bus.emit(warning(given.run ?? '', 'second'));
        return { run: given.run ?? '', result: 'ok', sources: [] };
      },
    });
    const emit = (event: RunEvent) => {
      heard.push(event.type === 'warning' ? event.message : event.type);
      if (heard.length === 1) goOn.resolve();
    };
    const { operations } = await client({ emit });
    const outcome = await operations.backup({ targets: ['db'], trigger: 'schedule' }, never);
    assert.deepEqual(heard, ['first', 'second']);
    assert.equal(outcome.run, ask?.run);
    assert.deepEqual(ask, { targets: ['db'], trigger: 'manual', run: outcome.run }, 'the daemon knows who asks');
  });

  it('a client that leaves detaches: the run goes on', async () => {
    const leave = new AbortController();
    const said: string[] = [];
    const ended = Promise.withResolvers<boolean>();
    await serve({
      backup: async ({ run = '' }, signal) => {
        bus.emit(warning(run, 'begun'));
        await sleep(100);
        for (let n = 0; n < 100; n++) bus.emit(warning(run, 'nobody hears this'));
        ended.resolve(signal.aborted);
        return { run, result: 'ok', sources: [] };
      },
    });
    const { operations } = await client({
      onInterrupt: 'detach',
      emit: () => leave.abort(new LifeboatError('CANCELLED', 'interrupted by SIGINT')),
      say: (line) => said.push(line),
    });
    await assert.rejects(operations.backup({ targets: [], trigger: 'manual' }, leave.signal), { code: 'CANCELLED' });
    assert.match(said.join(), /Detached\. Run [a-z0-9]{6} goes on/);
    assert.equal(await ended.promise, false);
  });

  it('a script that is ended cancels what it began, and waits until it has tidied up', async () => {
    const leave = new AbortController();
    await serve({
      restore: async ({ run = '' }, signal) => {
        bus.emit(warning(run, 'begun'));
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        await sleep(50);
        bus.emit(warning(run, 'put back'));
        throw new LifeboatError('CANCELLED', 'a person cancelled it');
      },
    });
    const heard: string[] = [];
    const { operations } = await client({
      emit: (event) => {
        heard.push(event.type === 'warning' ? event.message : '');
        leave.abort(new Error('interrupted'));
      },
    });
    const ask: RestoreAsk = { target: 'db', at: 'latest', skipSafety: false };
    await assert.rejects(operations.restore(ask, leave.signal), {
      code: 'CANCELLED',
      message: 'a person cancelled it',
    });
    assert.deepEqual(heard, ['begun', 'put back']);
  });

  it('another client can cancel a run, also one that has not begun', async () => {
    const waiting = Promise.withResolvers<string>();
    await serve({
      backup: async ({ run = '' }, signal) => {
        waiting.resolve(run);
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
        throw new Error('unreachable');
      },
    });
    const { operations } = await client();
    const cancelled = assert.rejects(operations.backup({ targets: [], trigger: 'manual' }, never), {
      code: 'CANCELLED',
      message: 'a person cancelled it',
    });
    const run = await waiting.promise;
    assert.equal(await operations.cancel(run.slice(-6), never), run);
    await cancelled;
  });

  it('when the daemon is told to end, what clients asked for ends', async () => {
    const stop = await serve({
      backup: async (_, signal) => {
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
          setTimeout(() => stop.abort(new LifeboatError('CANCELLED', 'interrupted by SIGTERM')), 20);
        });
        throw new Error('unreachable');
      },
    });
    const { operations } = await client();
    await assert.rejects(operations.backup({ targets: [], trigger: 'manual' }, never), /interrupted by SIGTERM/);
  });

  it('a daemon that dies in the middle is told from a result', async () => {
    await serve({
      backup: async ({ run = '' }) => {
        bus.emit(warning(run, 'begun'));
        return new Promise(() => {});
      },
    });
    const { operations } = await client({ emit: () => void at.held.disposeAsync() });
    await assert.rejects(operations.backup({ targets: [], trigger: 'manual' }, never), {
      code: 'DAEMON_UNAVAILABLE',
      message: /ended before this was done/,
    });
    at.held = new AsyncDisposableStack();
  });

  it('a client that does not read holds up nobody, and misses progress first', async () => {
    const progress = (run: string, plainBytes: number): RunEvent => ({
      type: 'progress',
      run,
      at: '',
      source: 'db/postgres',
      step: 'dump',
      plainBytes,
      storedBytes: 0,
    });
    await serve({
      backup: async ({ run = '' }) => {
        const filler = 'x'.repeat(1000);
        for (let n = 0; n < 3000; n++) {
          bus.emit(warning(run, `${n} ${filler}`));
          bus.emit(progress(run, n));
        }
        return { run, result: 'ok', sources: [] };
      },
    });
    const slow = request({ socketPath: at.socketPath, method: 'POST', path: '/v1/backup' });
    slow.end(JSON.stringify({ targets: [] }));
    const text = await new Promise<string>((resolve, reject) => {
      slow.on('response', async (response) => {
        await sleep(200); // Everything has happened by now.
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => resolve(body)).on('error', reject);
      });
    });
    const lines = text.trim().split('\n');
    const told = lines.map((line) => JSON.parse(line) as { event?: RunEvent; result?: unknown });
    const count = (type: string) => told.filter(({ event }) => event?.type === type).length;
    assert.equal(count('warning'), 3000);
    assert.ok(count('progress') < 3000, `${count('progress')} of 3000`);
    assert.ok(told.at(-1)?.result);
    assert.ok(told.at(-2)?.event?.type === 'progress', 'the last progress is told');
  });
});
