import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/contracts/store.ts';
import { createMemoryStore } from './memory.ts';
import { removeOrphans } from './orphan.ts';
import { manifestFile, type Store } from './store.ts';

const never = new AbortController().signal;

testStore('memory', async () => ({ store: createMemoryStore(), leftovers: async () => [] }));

test('fault 63: a listing that overlooks a manifest does not cost the backup', async () => {
  const memory = createMemoryStore();
  const folder = 'shop/db/postgres/20261121-030000-k3f9a2';
  for (const file of ['a', manifestFile]) await memory.put(`${folder}/${file}`, Buffer.from('x'), {}, never);
  const blind: Store = {
    ...memory,
    async *list(...args) {
      for await (const object of memory.list(...args)) if (!object.key.endsWith(manifestFile)) yield object;
    },
  };
  assert.deepEqual(await removeOrphans(blind, -1000, never), []);
  await memory.remove(`${folder}/${manifestFile}`, never);
  assert.deepEqual(await removeOrphans(blind, -1000, never), [`${folder}/a`]);
});

test('fault 50: a memory store of limited capacity fills up', async () => {
  const store = createMemoryStore({ capacityBytes: 100 });
  await store.put('a', Buffer.alloc(60), {}, never);
  await assert.rejects(store.put('b', Buffer.alloc(60), {}, never), { code: 'STORE_FULL' });
  assert.equal(await store.freeBytes(never), 40);
});
