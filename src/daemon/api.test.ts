import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { type ClientOptions, connectDaemon, type DaemonClient } from '../cli/client.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { RunEvent } from '../domain/run-event.ts';
import { createEventBus } from '../runs/history/event-bus.ts';
import type { BackupAsk, Operations, RestoreAsk } from '../runs/operations.ts';
import type { Health } from './health.ts';
import { createHandler } from './routes.ts';
import { listen } from './server.ts';

const never = new AbortController().signal;
const hello = { lifeboat: '1.2.3', timezone: 'Europe/Vienna', restore: { delayMs: 7, requireConfirm: true } };

describe('the daemon over its socket', { concurrency: false }, () => {
  let folder: string;
  let socketPath: string;
  let held: AsyncDisposableStack;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-socket-'));
    socketPath = join(folder, 'lifeboat-control', 'daemon.sock');
    held = new AsyncDisposableStack();
  });
  afterEach(async () => {
    await held.disposeAsync();
    await rm(folder, { recursive: true, force: true });
  });

  const bus = createEventBus({ clean: (text) => text, complain: (_, error) => assert.ifError(error) });
  const logged: string[] = [];
  const say = (message: string) => void logged.push(message);
  const log = { debug: say, info: say, warn: say, error: say };

  /** Serves these operations; whatever is not given must not be asked. */
  async function serve(operations: Partial<Operations>, health: Health = { isHealthy: true, problems: [] }) {
    const stop = new AbortController();
    const all = new Proxy(operations, {
      get: (target, name) => target[name as keyof Operations] ?? (() => assert.fail(`${String(name)} was asked`)),
    }) as Operations;
    const handler = createHandler({
      operations: all,
      bus,
      hello,
      log,
      health: () => health,
      stop: stop.signal,
      now: () => new Date(),
    });
    held.use(await listen(socketPath, handler));
    return stop;
  }

  async function client(options: Partial<ClientOptions> = {}): Promise<DaemonClient> {
    const found = await connectDaemon({ socketPath, emit: () => {}, onInterrupt: 'cancel', say: () => {}, ...options });
    assert.ok(found);
    return found;
  }

  const warning = (run: string, message: string): RunEvent => ({
    type: 'warning',
    run,
    at: '2026-11-21T03:00:00Z',
    message,
  });

  it('says hello with what a client needs to know', async () => {
    await serve({});
    assert.deepEqual((await client()).hello, hello);
  });

  it('is no daemon where there is no socket, or one that a killed daemon left', async () => {
    const options = { socketPath, emit: () => {}, onInterrupt: 'cancel', say: () => {} } as const;
    assert.equal(await connectDaemon(options), undefined);
    await mkdir(dirname(socketPath));
    const child = createServer().listen(socketPath);
    await new Promise((resolve) => child.once('listening', resolve));
    // A socket file without anybody behind it, as after kill -9.
    child.close();
    await writeFile(socketPath, '').catch(() => {});
    assert.equal(await connectDaemon(options), undefined);
    await serve({});
    assert.ok(await connectDaemon(options), 'the next daemon takes the place');
  });

  it('tells a daemon that does not answer from none', async () => {
    await mkdir(dirname(socketPath));
    const mute = createServer((socket) => void socket.on('error', () => {}).destroy()).listen(socketPath);
    held.defer(() => void mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    await assert.rejects(client(), { code: 'DAEMON_UNAVAILABLE', hint: /restart/ });
  });

  it('lets nobody else in: the folder and the socket belong to its user alone', async () => {
    await mkdir(dirname(socketPath), { mode: 0o777 });
    await chmod(dirname(socketPath), 0o777);
    await serve({});
    assert.equal((await stat(dirname(socketPath))).mode & 0o777, 0o700);
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
  });

  it('does not close a folder that somebody else named', async () => {
    socketPath = join(folder, 'mine.sock');
    await chmod(folder, 0o755);
    await serve({});
    assert.equal((await stat(folder)).mode & 0o777, 0o755);
    assert.equal((await stat(socketPath)).mode & 0o777, 0o600);
  });

  it('fault 44: refuses where another daemon answers', async () => {
    await serve({});
    await assert.rejects(
      listen(socketPath, () => {}),
      { code: 'LOCKED', message: /another daemon answers/ },
    );
    assert.ok(await client(), 'and leaves it alone');
  });

  it('says what to do where the folder cannot be made', async () => {
    await writeFile(join(folder, 'lifeboat-control'), '');
    await assert.rejects(
      listen(socketPath, () => {}),
      { code: 'CONFIG_INVALID', hint: /tmpfs: \[.*lifeboat-control\]/, context: { exitCode: 78 } },
    );
  });

  it('answers what is asked as the operations do', async () => {
    const asked: unknown[] = [];
    const manifest = sampleManifest();
    await serve({
      list: async (ask) => {
        asked.push(ask);
        return { backups: [{ manifest, destinations: ['local'] }], problems: [] };
      },
      show: async (id) => {
        asked.push(id);
        return { manifest, destinations: ['local'], locations: [] };
      },
      logs: async (ask) => {
        asked.push(ask);
        return { run: 'r', trigger: 'manual', sources: [], startedAt: '', events: [] };
      },
      plan: async () => ({ stack: 'shop', sources: [], uncovered: [] }),
      cancel: async (run) => {
        asked.push(run);
        return `whole-${run}`;
      },
    });
    const { operations } = await client();
    assert.deepEqual((await operations.list({ target: 'db/postgres & more' }, never)).backups[0]?.manifest, manifest);
    assert.deepEqual((await operations.list({}, never)).problems, []);
    assert.equal((await operations.show('k3f9a2', never)).manifest.id, manifest.id);
    assert.equal((await operations.logs({ run: 'k3f9a2' }, never)).run, 'r');
    await operations.logs({}, never);
    assert.equal((await operations.plan(never)).stack, 'shop');
    assert.equal(await operations.cancel('k3f9a2', never), 'whole-k3f9a2');
    assert.deepEqual(asked, [{ target: 'db/postgres & more' }, {}, 'k3f9a2', { run: 'k3f9a2' }, {}, 'k3f9a2']);
  });

  it('gives errors as they were thrown', async () => {
    const thrown = new LifeboatError('BACKUP_NOT_FOUND', 'there is no backup k3f9a2', {
      hint: 'lifeboat list',
      retryable: true,
      context: { run: 'r', n: 1 },
    });
    await serve({
      show: async () => {
        throw thrown;
      },
      planRestore: async () => {
        throw thrown;
      },
    });
    const { operations } = await client();
    const wanted = {
      name: 'LifeboatError',
      code: 'BACKUP_NOT_FOUND',
      message: 'there is no backup k3f9a2',
      hint: 'lifeboat list',
      retryable: true,
      context: { run: 'r', n: 1 },
    };
    await assert.rejects(operations.show('k3f9a2', never), wanted);
    await assert.rejects(operations.planRestore({ target: 'db', at: 'latest', skipSafety: false }, never), wanted);
  });

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
    const { operations } = await client({ emit: () => void held.disposeAsync() });
    await assert.rejects(operations.backup({ targets: [], trigger: 'manual' }, never), {
      code: 'DAEMON_UNAVAILABLE',
      message: /ended before this was done/,
    });
    held = new AsyncDisposableStack();
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
    const slow = request({ socketPath, method: 'POST', path: '/v1/backup' });
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

  for (const [what, method, path, body] of [
    ['a path as an id', 'GET', '/v1/backups/..%2F..%2Fetc%2Fpasswd', ''],
    ['a broken escape', 'GET', '/v1/backups/%E0%A4%A', ''],
    ['a target with a path', 'POST', '/v1/backup', '{"targets":["../x/y"]}'],
    ['control characters', 'POST', '/v1/backup', '{"targets":["db\\u001b[2J"]}'],
    ['a trigger', 'POST', '/v1/backup', '{"targets":[],"trigger":"schedule"}'],
    ['no JSON', 'POST', '/v1/restore', '{'],
    ['too much', 'POST', '/v1/backup', `{"targets":[]${' '.repeat(70_000)}}`],
    ['too little', 'POST', '/v1/restore', '{"target":"db"}'],
    ['an unknown path', 'GET', '/v1/nothing', ''],
    ['the wrong method', 'GET', '/v1/restore', ''],
    ['an unknown query', 'GET', '/v1/backups?folder=/etc', ''],
  ] as const) {
    it(`fault 100: refuses ${what}, and asks nothing of anybody`, async () => {
      await serve({});
      const answer = await raw(socketPath, method, path, body);
      assert.match(answer, /"code":"USAGE"/);
      assert.ok(await client(), 'and lives on');
    });
  }

  it('survives clients that speak no HTTP, send half a request, or vanish', async () => {
    await serve({ backup: () => new Promise(() => {}) });
    for (const text of [
      '\0\0\0',
      'GET /v1/hello HTTP/1.1\r\n',
      'POST /v1/backup HTTP/1.1\r\ncontent-length: 14\r\n\r\n{"targets":[]}',
    ]) {
      const socket = connect(socketPath);
      socket.on('error', () => {});
      socket.write(text);
      await sleep(20);
      socket.destroy();
    }
    assert.ok(await client());
  });

  it('is well or not by its status code, for those who ask without a client', async () => {
    await serve({}, { isHealthy: false, problems: [{ code: 'X', message: 'no Engine' }] });
    const answer = await raw(socketPath, 'GET', '/healthz', '');
    assert.equal(answer, '{"isHealthy":false,"problems":[{"code":"X","message":"no Engine"}]}');
  });
});

function raw(socketPath: string, method: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
