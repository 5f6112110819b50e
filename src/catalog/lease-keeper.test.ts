import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { keysOf } from '../../test/contracts/store.ts';
import { LifeboatError } from '../domain/errors.ts';
import { createMemoryStore } from '../stores/memory.ts';
import { acquireLease, type Lease } from './lease.ts';
import { listLeases } from './lease-file.ts';
import { createLeaseKeeper, leased } from './lease-keeper.ts';

const never = new AbortController().signal;
const folder = 'shop/db/postgres/20261121-030000-k3f9a2';

function writer(owner: string, store = createMemoryStore(), options: { ttlMs?: number } = {}) {
  const keeper = createLeaseKeeper((signal) => acquireLease(store, { owner, random: () => 0, ...options }, signal));
  const owners = async () => (await listLeases(store, never)).map((lease) => lease.owner);
  return { store, keeper, leased: leased(store, keeper), owners };
}

test('all that writes at the same time shares one lease, which the last one gives back', async () => {
  const { keeper, owners } = writer('a');
  const holds = await Promise.all([keeper.hold(never), keeper.hold(never), keeper.hold(never)]);
  assert.deepEqual(await owners(), ['a']);
  await holds[0]?.[Symbol.asyncDispose]();
  await holds[0]?.[Symbol.asyncDispose]();
  await holds[1]?.[Symbol.asyncDispose]();
  assert.deepEqual(await owners(), ['a']);
  await Promise.all([
    holds[2]?.[Symbol.asyncDispose](),
    keeper.hold(never).then((hold) => hold[Symbol.asyncDispose]()),
  ]);
  assert.deepEqual(await owners(), []);
});

test('fault 44: a draft is refused while another writer has the lease, and opened after it', async () => {
  const first = writer('first');
  const second = writer('second', first.store);
  const draft = await first.leased.draft(folder, never);
  await assert.rejects(second.leased.draft(`${folder}x`, never), { code: 'LOCKED', message: /by first since/ });
  await assert.rejects(second.leased.sweep(0, never), { code: 'LOCKED' });
  await draft.put('a', Buffer.from('a'), {}, never);
  await draft.publish(Buffer.from('{}'), never);
  await draft.discard();
  assert.deepEqual(await keysOf(first.store), [`${folder}/a`, `${folder}/manifest.json`]);
  const other = await second.leased.draft('shop/db/postgres/20261121-030000-k3f9a3', never);
  await other.discard();
  assert.deepEqual(await first.owners(), []);
});

test('a folder that cannot be opened keeps no lease', async () => {
  const { leased: store, owners } = writer('a');
  const draft = await store.draft(folder, never);
  await draft.publish(Buffer.from('{}'), never);
  await draft.discard();
  await assert.rejects(store.draft(folder, never), { code: 'OBJECT_EXISTS' });
  assert.deepEqual(await owners(), []);
});

test('what another run of ours is writing is not taken for something left behind', async () => {
  const { leased: store } = writer('a');
  const draft = await store.draft(folder, never);
  await assert.rejects(store.draft(folder, never, { resume: true }), {
    code: 'OBJECT_EXISTS',
    message: /being written by another run/,
  });
  await draft.put('a', Buffer.from('a'), {}, never);
  draft.leave();
  await draft.discard();
  const next = await store.draft(folder, never, { resume: true });
  assert.equal(String(await buffer(await next.get('a', never))), 'a');
  await next.discard();
});

test('fault 44: a lost lease fails what is being written, and the next draft takes a new one', async () => {
  const memory = createMemoryStore();
  let isDown = false;
  const store: typeof memory = {
    ...memory,
    put: (...args) => (isDown ? Promise.reject(new LifeboatError('STORE_UNAVAILABLE', 'down')) : memory.put(...args)),
  };
  const { leased: held, keeper } = writer('a', store, { ttlMs: 150 });
  const draft = await held.draft(folder, never);
  const hold = await keeper.hold(never);
  isDown = true;
  await new Promise((resolve) => hold.lost.addEventListener('abort', resolve));
  await assert.rejects(draft.put('a', Buffer.from('a'), {}, never), {
    code: 'LOCKED',
    message: /could not be renewed/,
  });
  await assert.rejects(draft.publish(Buffer.from('{}'), never), { code: 'LOCKED' });
  isDown = false;
  const next = await held.draft(`${folder}b`, never);
  await next.put('a', Buffer.from('a'), {}, never);
  await Promise.all([draft.discard(), next.discard(), hold[Symbol.asyncDispose]()]);
  assert.deepEqual(await keysOf(memory), []);
});

test('nothing is swept while a backup of our own is being written', async () => {
  const { store, leased: held } = writer('a');
  const draft = await held.draft(folder, never);
  await store.put('shop/db/postgres/20261120-030000-aaaaaa/a', Buffer.from('a'), {}, never);
  assert.deepEqual(await held.sweep(-1000, never), []);
  await draft.discard();
  assert.equal((await held.sweep(-1000, never)).length, 1);
});

test('whoever is told to end does not wait for a lease; the others get it', async () => {
  const { store } = writer('a');
  const gate = Promise.withResolvers<void>();
  const taken: Lease[] = [];
  const keeper = createLeaseKeeper(async (signal) => {
    await gate.promise;
    const lease = await acquireLease(store, { owner: 'slow' }, signal);
    taken.push(lease);
    return lease;
  });
  const stop = new AbortController();
  const impatient = keeper.hold(stop.signal);
  const patient = keeper.hold(never);
  stop.abort(new LifeboatError('CANCELLED', 'interrupted'));
  await assert.rejects(impatient, { code: 'CANCELLED', message: 'interrupted' });
  gate.resolve();
  await (await patient)[Symbol.asyncDispose]();
  assert.equal(taken.length, 1);
  assert.deepEqual(await keysOf(store), []);
});

test('when all who waited have left, the lease is not taken', async () => {
  const { store } = writer('a');
  const gate = Promise.withResolvers<void>();
  const keeper = createLeaseKeeper(async (signal) => {
    await gate.promise;
    return acquireLease(store, { owner: 'slow' }, signal);
  });
  const stop = new AbortController();
  const only = keeper.hold(stop.signal);
  stop.abort();
  await assert.rejects(only, { code: 'CANCELLED' });
  const next = keeper.hold(never);
  gate.resolve();
  const hold = await next;
  assert.equal((await keysOf(store)).length, 1, 'of the next one only');
  await hold[Symbol.asyncDispose]();
  assert.deepEqual(await keysOf(store), []);
});
