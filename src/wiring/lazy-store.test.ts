import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { createMemoryStore } from '../stores/memory.ts';
import { lazyStore } from './lazy-store.ts';

const never = new AbortController().signal;

function lazy() {
  const state = { isThere: true, isOurs: true, opened: 0, checked: 0 };
  const store = lazyStore({
    driver: 'memory',
    location: 'memory://soon',
    open: async () => {
      state.opened += 1;
      if (!state.isThere) throw new LifeboatError('STORE_UNAVAILABLE', 'away');
      return createMemoryStore({ name: 'there' });
    },
    check: async () => {
      state.checked += 1;
      if (!state.isOurs) throw new LifeboatError('STORE_UNMARKED', 'not ours');
    },
  });
  return { store, state };
}

test('is opened once, when it is first used, whoever comes at the same time', async () => {
  const { store, state } = lazy();
  assert.deepEqual([state.opened, store.location], [0, 'memory://soon']);
  await Promise.all([store.folders('', never), store.folders('', never), store.ready(never)]);
  assert.equal(state.opened, 1);
  assert.notEqual(store.location, 'memory://soon');
});

test('one that is away is tried again at each use', async () => {
  const { store, state } = lazy();
  state.isThere = false;
  await assert.rejects(store.ready(never), { code: 'STORE_UNAVAILABLE' });
  await assert.rejects(Array.fromAsync(store.list('', never)), { code: 'STORE_UNAVAILABLE' });
  const body = Readable.from([Buffer.from('x')]);
  await assert.rejects(store.put('a', body, {}, never), { code: 'STORE_UNAVAILABLE' });
  assert.equal(body.destroyed, true, 'nobody else would end it');
  state.isThere = true;
  await store.put('a', Buffer.from('x'), {}, never);
  assert.deepEqual(
    (await Array.fromAsync(store.list('', never))).map(({ key }) => key),
    ['a'],
  );
  assert.equal(state.opened, 4);
});

test('fault 51: looks whether it is still ours before anything new is written', async () => {
  const { store, state } = lazy();
  await store.ready(never);
  assert.equal(state.checked, 0, 'opening has looked');
  await (await store.draft('shop/db/postgres/20261121-030000-aaaaaa', never)).discard();
  assert.equal(state.checked, 1);
  state.isOurs = false;
  await assert.rejects(store.draft('shop/db/postgres/20261121-030000-bbbbbb', never), { code: 'STORE_UNMARKED' });
  await assert.rejects(store.ready(never), { code: 'STORE_UNMARKED' });
});

test('whoever is told to end does not wait for one that is being opened', async () => {
  const store = lazyStore({
    driver: 'memory',
    location: 'memory://never',
    open: () => new Promise(() => {}),
    check: async () => {},
  });
  const stop = new AbortController();
  const waiting = [
    store.ready(stop.signal),
    store.folders('', stop.signal),
    store.draft('shop/db/postgres/20261121-030000-aaaaaa', stop.signal),
    Array.fromAsync(store.list('', stop.signal)),
  ];
  stop.abort(new LifeboatError('CANCELLED', 'interrupted'));
  for (const one of waiting) await assert.rejects(one, { code: 'CANCELLED', message: 'interrupted' });
});
