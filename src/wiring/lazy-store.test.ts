import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { createMemoryStore } from '../stores/memory.ts';
import { readKnownDestinations } from './known-destinations.ts';
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
  await Promise.all([store.folders('', never), store.folders('', never), store.ready()]);
  assert.equal(state.opened, 1);
  assert.notEqual(store.location, 'memory://soon');
});

test('one that is away is tried again at each use', async () => {
  const { store, state } = lazy();
  state.isThere = false;
  await assert.rejects(store.ready(), { code: 'STORE_UNAVAILABLE' });
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
  await store.ready();
  assert.equal(state.checked, 0, 'opening has looked');
  await (await store.draft('shop/db/postgres/20261121-030000-aaaaaa', never)).discard();
  assert.equal(state.checked, 1);
  state.isOurs = false;
  await assert.rejects(store.draft('shop/db/postgres/20261121-030000-bbbbbb', never), { code: 'STORE_UNMARKED' });
  await assert.rejects(store.ready(), { code: 'STORE_UNMARKED' });
});

test('remembers which destinations were used, also when several are opened at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-known-'));
  try {
    const known = readKnownDestinations(folder);
    await Promise.all(['a', 'b', 'c'].map((name) => known.add(`file:///${name}`, name)));
    const again = readKnownDestinations(folder);
    assert.deepEqual(await Promise.all(['a', 'b', 'c', 'd'].map((name) => again.has(`file:///${name}`))), [
      true,
      true,
      true,
      false,
    ]);
    await writeFile(join(folder, 'destinations.json'), '{"file:///a": ');
    assert.equal(await readKnownDestinations(folder).has('file:///a'), false, 'cut short by a power failure');
  } finally {
    await rm(folder, { recursive: true });
  }
});
