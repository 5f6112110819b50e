import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { keysOf } from '../../test/contracts/store.ts';
import { LifeboatError } from '../domain/errors.ts';
import { createMemoryStore } from '../stores/memory.ts';
import type { Store } from '../stores/store.ts';
import { acquireLease } from './lease.ts';
import { listLeases } from './lease-file.ts';

const never = new AbortController().signal;
const quick = { owner: 'lifeboat on nas', random: () => 0 };

test('fault 44: the second writer is refused and told who writes since when', async () => {
  const store = createMemoryStore();
  const lease = await acquireLease(store, quick, never);
  const [listed] = await listLeases(store, never);
  assert.equal(listed?.owner, 'lifeboat on nas');
  await assert.rejects(acquireLease(store, { ...quick, owner: 'another' }, never), (error: LifeboatError) => {
    assert.equal(error.code, 'LOCKED');
    const until = new Date((listed?.renewedAt.getTime() ?? 0) + 120_000).toISOString();
    assert.ok(error.message.includes(`by lifeboat on nas since ${listed?.since}; its lease lasts until ${until}`));
    assert.match(error.hint ?? '', /try again when it has finished/);
    return true;
  });
  assert.deepEqual(
    (await listLeases(store, never)).map(({ owner }) => owner),
    ['lifeboat on nas'],
  );
  await lease.release();
  await lease.release();
  assert.deepEqual(await keysOf(store), []);
  await (await acquireLease(store, quick, never)).release();
});

test('of many writers at once never two get through', async () => {
  for (let round = 0; round < 10; round++) {
    const store = slow(createMemoryStore());
    const writers = Array.from({ length: 5 }, () =>
      acquireLease(store, { ...quick, random: () => Math.random() / 50 }, never),
    );
    const held = (await Promise.allSettled(writers)).filter((result) => result.status === 'fulfilled');
    assert.ok(held.length <= 1, `${held.length} hold the lease`);
    for (const { value } of held) await value.release();
    assert.deepEqual(await keysOf(store), []);
  }
});

test("a writer that died holds the lease until it ends, by the store's own clock", async () => {
  const store = createMemoryStore();
  const dead = await deadLease(store, 400);
  await assert.rejects(acquireLease(store, quick, never), { code: 'LOCKED' });
  await sleep(450);
  const lease = await acquireLease(store, quick, never);
  assert.ok(!(await keysOf(store)).includes(dead), 'what is dead is tidied up');
  await lease.release();
});

test('the clocks of the writers do not matter', async () => {
  const store = createMemoryStore();
  const future = { since: '2099-01-01T00:00:00.000Z' };
  const past = { since: '1999-01-01T00:00:00.000Z' };
  for (const lie of [future, past]) {
    await deadLease(store, 60_000, lie);
    await assert.rejects(acquireLease(store, quick, never), { code: 'LOCKED' });
  }
});

test('a lease is renewed as long as it is held', async () => {
  const store = createMemoryStore();
  await using lease = await acquireLease(store, { ...quick, ttlMs: 150 }, never);
  await sleep(500);
  assert.equal(lease.lost.aborted, false);
  await assert.rejects(acquireLease(store, quick, never), { code: 'LOCKED' });
});

test('a lease that cannot be renewed in time tells its holder to stop', async () => {
  const memory = createMemoryStore();
  let isDown = false;
  const store: Store = {
    ...memory,
    put: (...args) => (isDown ? Promise.reject(new LifeboatError('STORE_UNAVAILABLE', 'down')) : memory.put(...args)),
  };
  const lease = await acquireLease(store, { ...quick, ttlMs: 150 }, never);
  isDown = true;
  await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
  assert.equal(lease.lost.reason.code, 'LOCKED');
  assert.match(lease.lost.reason.message, /could not be renewed/);
  await lease.release();
});

test('fault 44: no attempt to renew a lease goes on beyond its end, when others may take it', async (t) => {
  const memory = createMemoryStore();
  let isSilent = false;
  const store: Store = {
    ...memory,
    put: (key, body, options, signal) =>
      isSilent
        ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))
        : memory.put(key, body, options, signal),
  };
  const ttlMs = 300;
  const lease = await acquireLease(store, { ...quick, ttlMs }, never);
  const asked: number[] = [];
  const { timeout } = AbortSignal;
  t.mock.method(AbortSignal, 'timeout', (ms: number) => {
    asked.push(ms);
    return timeout.call(AbortSignal, ms);
  });
  isSilent = true;
  await new Promise((resolve) => lease.lost.addEventListener('abort', resolve));
  const [first = 0, ...later] = asked;
  assert.ok(first <= ttlMs / 2);
  // The first of these begins when more than half is over already.
  assert.ok(
    later.every((ms) => ms < ttlMs / 2),
    asked.join(),
  );
  await lease.release();
});

test('one missed renewal is made good', async () => {
  const memory = createMemoryStore();
  let puts = 0;
  const store: Store = {
    ...memory,
    put: (...args) => {
      puts += 1;
      return puts === 2 ? Promise.reject(new LifeboatError('STORE_UNAVAILABLE', 'hiccup')) : memory.put(...args);
    },
  };
  await using lease = await acquireLease(store, { ...quick, ttlMs: 300 }, never);
  await sleep(700);
  assert.equal(lease.lost.aborted, false);
  assert.ok(puts > 3);
});

test('a dead predecessor of ours does not hold us up', async () => {
  const store = createMemoryStore();
  const dead = await deadLease(store, 60_000);
  const former = [dead.replace('.leases/', '').replace('.json', '')];
  await using lease = await acquireLease(store, { ...quick, former }, never);
  assert.deepEqual(lease.ended, ['the dead']);
  assert.equal((await keysOf(store)).length, 1);
});

test('a lease nobody can read is respected, then outlived', async () => {
  const store = createMemoryStore();
  await store.put('.leases/odd.json', Buffer.from('{"format":'), {}, never);
  await assert.rejects(acquireLease(store, quick, never), { code: 'LOCKED', message: /an unknown writer/ });
});

test('what is no lease is none', async () => {
  const store = createMemoryStore();
  await store.put('.leases/doctor-20261121-030000-k3f9a2', Buffer.from('x'), {}, never);
  await (await acquireLease(store, quick, never)).release();
});

test('a store that does not list what was put is not written to', async () => {
  const memory = createMemoryStore();
  const store: Store = { ...memory, list: () => createMemoryStore().list('', never) };
  await assert.rejects(acquireLease(store, quick, never), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(await keysOf(memory), []);
});

test('an abort while waiting leaves no lease', async () => {
  const store = createMemoryStore();
  await using _ = await acquireLease(store, quick, never);
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 30);
  await assert.rejects(acquireLease(store, { ...quick, random: () => 1 }, abort.signal), { code: 'CANCELLED' });
  assert.equal((await keysOf(store)).length, 1);
});

async function deadLease(store: Store, ttlMs: number, fields: object = {}): Promise<string> {
  const holder = crypto.randomUUID();
  const lease = { format: 1, holder, owner: 'the dead', since: new Date().toISOString(), ttlMs, ...fields };
  await store.put(`.leases/${holder}.json`, Buffer.from(JSON.stringify(lease)), {}, never);
  return `.leases/${holder}.json`;
}

/** A store whose calls take a random while, as over a network. */
function slow(store: Store): Store {
  const pause = () => sleep(Math.random() * 5);
  return {
    ...store,
    put: async (...args) => {
      await pause();
      const confirmation = await store.put(...args);
      await pause();
      return confirmation;
    },
    async *list(...args) {
      await pause();
      yield* store.list(...args);
    },
  };
}
