import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Intent } from '../domain/journal.ts';
import type { OpenIntent } from '../runs/journal/journal.ts';
import type { Unrepaired } from '../runs/journal/repair.ts';
import { createMemoryStore } from '../stores/memory.ts';
import { createDestinationKeeper, type KeptDestination } from './destination-keeper.ts';
import { createEngineKeeper, type EngineWatch } from './engine-keeper.ts';
import { readHealth } from './health.ts';

const backoff = { firstMs: 1, longestMs: 4 };
const away = () => new LifeboatError('DOCKER_UNAVAILABLE', 'the Docker Engine does not answer (ENOENT)');

function logging() {
  const lines: string[] = [];
  const at = (level: string) => (message: string) => void lines.push(`${level} ${message}`);
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines };
}

/** An Engine that answers when `isThere`, and a journal that holds what it is given. */
function engine() {
  const { log, lines } = logging();
  const state = { isThere: true, putBack: 0, changed: 0, returned: 0, left: [] as OpenIntent[] };
  const found = { open: [] as Unrepaired[], told: [] as Unrepaired[] };
  const watching = Promise.withResolvers<EngineWatch>();
  const keeper = createEngineKeeper({
    engine: {
      putBack: async () => {
        if (!state.isThere) throw away();
        state.putBack += 1;
        state.left = [];
        return { done: ['db: started again'], open: found.open };
      },
      watch: async (watch, signal) => {
        watching.resolve(watch);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      },
    },
    journal: { intend: async () => async () => {}, leftOpen: async () => state.left },
    log,
    foundOpen: (each) => void found.told.push(each),
    changed: () => {
      state.changed += 1;
    },
    returned: () => {
      state.returned += 1;
    },
    backoff,
    lookEveryMs: 5,
  });
  return { keeper, state, found, lines, watching: watching.promise };
}

const until = async (isSo: () => boolean) => {
  for (let i = 0; i < 400; i++) {
    if (isSo()) return;
    await sleep(5);
  }
  assert.fail('never came to be');
};

test('fault 16: an Engine that is away at the start is tried until it is there; it is told of once', async () => {
  const { keeper, state, lines, watching } = engine();
  state.isThere = false;
  const stop = new AbortController();
  const keeping = keeper.keep(stop.signal);
  await sleep(30);
  assert.deepEqual(readHealth([keeper]).isHealthy, false);
  await assert.rejects(keeper.enter(), { code: 'DOCKER_UNAVAILABLE' });
  assert.equal(lines.filter((line) => line.startsWith('warn the Docker Engine cannot be used')).length, 1);
  state.isThere = true;
  (await watching).connected();
  (await keeper.enter())[Symbol.dispose]();
  assert.equal(state.putBack, 1, 'what was left over is put back once');
  assert.equal(readHealth([keeper]).isHealthy, true);
  assert.deepEqual([state.returned, state.changed], [1, 1]);
  assert.ok(lines.includes('info put back after an interruption: db: started again'));
  stop.abort();
  await keeping;
});

test('fault 16: what a run could not put back is put back when the Engine returns, and never under a living run', async () => {
  const { keeper, state, watching } = engine();
  const stop = new AbortController();
  const keeping = keeper.keep(stop.signal);
  const watch = await watching;
  await until(() => state.putBack === 1);
  watch.lost(away());
  assert.equal(readHealth([keeper]).isHealthy, false);
  const container = { id: 'c', name: 'db', stack: 'shop', service: 'db', number: 1 };
  const intent: Intent = { kind: 'stop', container };
  state.left = [{ intent, at: '', done: async () => {} }];
  {
    using _inside = await keeper.enter();
    watch.connected();
    assert.equal(readHealth([keeper]).isHealthy, true);
    await sleep(40);
    assert.equal(state.putBack, 1, 'the stop belongs to the run');
  }
  await until(() => state.putBack === 2);
  stop.abort();
  await keeping;
});

test('fault 76: what an earlier process left, and cannot be put back, is told of once; later the log is enough', async () => {
  const { keeper, state, found, lines } = engine();
  const container = { id: 'c', name: 'db', stack: 'shop', service: 'db', number: 1 };
  const intent: Intent = {
    kind: 'restore',
    container,
    source: 'db/mysql',
    note: 'switching',
    suffix: 'k3f9a2',
    undo: {},
  };
  found.open = [{ intent, at: '', failure: { code: 'RESTORE_FAILED', message: 'not yet', hint: 'wait' } }];
  const stop = new AbortController();
  const keeping = keeper.keep(stop.signal);
  await until(() => state.putBack === 1);
  state.left = [{ intent, at: '', done: async () => {} }];
  await until(() => state.putBack === 2);
  stop.abort();
  await keeping;
  assert.deepEqual(found.told, found.open);
  assert.deepEqual(
    lines.filter((line) => line.startsWith('warn')),
    ['warn after an interruption: not yet; wait'],
  );
});

test('a proxy that forbids events costs no health', async () => {
  const { keeper, watching } = engine();
  const stop = new AbortController();
  const keeping = keeper.keep(stop.signal);
  (await watching).lost(new LifeboatError('DOCKER_REFUSED', 'the socket proxy does not allow GET /events'));
  assert.equal(readHealth([keeper]).isHealthy, true);
  stop.abort();
  await keeping;
});

function destination(name: string) {
  const state = { isThere: false, swept: 0, isDamaged: false };
  const store = createMemoryStore();
  const kept: KeptDestination = {
    name,
    isLocal: true,
    catalog: undefined as never,
    hold: undefined as never,
    store: {
      ...store,
      ready: async () => {
        if (!state.isThere) throw new LifeboatError('STORE_UNAVAILABLE', `${name} is away`, { retryable: true });
      },
      sweep: async () => {
        state.swept += 1;
        if (state.isDamaged) throw new Error('cannot sweep');
        return ['x'];
      },
    },
  };
  return { kept, state };
}

test('one destination that is away stops nothing; all of them are an ailment', async () => {
  const { log, lines } = logging();
  const [local, offsite] = [destination('local'), destination('offsite')];
  const keeper = createDestinationKeeper({ destinations: [local.kept, offsite.kept], log, backoff });
  const stop = new AbortController();
  assert.equal(readHealth([keeper]).isHealthy, true, 'nobody has looked yet');
  const keeping = keeper.keep(stop.signal);
  await keeper.tried();
  await until(() => keeper.ailment() !== undefined);
  assert.match(keeper.ailment()?.message ?? '', /no destination can be used: local: local is away/);
  local.state.isThere = true;
  await until(() => keeper.ailment() === undefined);
  await until(() => local.state.swept === 1);
  offsite.state.isDamaged = true;
  offsite.state.isThere = true;
  await until(() => lines.some((line) => line.startsWith('warn leftovers could not be removed')));
  assert.equal(lines.filter((line) => line.includes('offsite is away')).length, 1, 'told once');
  assert.equal(lines.filter((line) => line === 'info can be used again').length, 2);
  assert.ok(lines.includes('info removed 1 leftovers of killed writers'));
  stop.abort();
  await keeping;
});

test('nobody waits for destinations once the daemon is told to end', async () => {
  const { log } = logging();
  const { kept } = destination('slow');
  const destinations = [{ ...kept, store: { ...kept.store, ready: () => new Promise<void>(() => {}) } }];
  const keeper = createDestinationKeeper({ destinations, log, backoff });
  const stop = new AbortController();
  keeper.keep(stop.signal).catch(assert.ifError);
  stop.abort();
  await keeper.tried();
});
