import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'node:test';
import { type ClientOptions, connectDaemon, type DaemonClient } from '../../src/cli/client.ts';
import type { Health } from '../../src/daemon/health.ts';
import { createHandler } from '../../src/daemon/routes.ts';
import { listen } from '../../src/daemon/server.ts';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { createEventBus } from '../../src/runs/history/event-bus.ts';
import type { Operations } from '../../src/runs/operations.ts';

export const never = new AbortController().signal;
export const hello = { lifeboat: '1.2.3', timezone: 'Europe/Vienna', restore: { delayMs: 7, requireConfirm: true } };

/** For each test of a suite a daemon's socket in a folder of its own, and what serves and uses it. */
export function servedDaemon() {
  const at = { folder: '', socketPath: '', held: new AsyncDisposableStack() };
  beforeEach(async () => {
    at.folder = await mkdtemp(join(tmpdir(), 'lifeboat-socket-'));
    at.socketPath = join(at.folder, 'lifeboat-control', 'daemon.sock');
    at.held = new AsyncDisposableStack();
  });
  afterEach(async () => {
    await at.held.disposeAsync();
    await rm(at.folder, { recursive: true, force: true });
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
    at.held.use(await listen(at.socketPath, handler));
    return stop;
  }

  async function client(options: Partial<ClientOptions> = {}): Promise<DaemonClient> {
    const found = await connectDaemon({
      socketPath: at.socketPath,
      emit: () => {},
      onInterrupt: 'cancel',
      say: () => {},
      ...options,
    });
    assert.ok(found);
    return found;
  }

  const warning = (run: string, message: string): RunEvent => ({
    type: 'warning',
    run,
    at: '2026-11-21T03:00:00Z',
    message,
  });

  return Object.assign(at, { bus, logged, serve, client, warning });
}
