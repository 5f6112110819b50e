import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testStore } from '../../test/contracts/store.ts';
import { createMemoryStore } from './memory.ts';

const never = new AbortController().signal;

testStore('memory', async () => ({ store: createMemoryStore(), leftovers: async () => [] }));

test('fault 50: a memory store of limited capacity fills up', async () => {
  const store = createMemoryStore({ capacityBytes: 100 });
  await store.put('a', Buffer.alloc(60), {}, never);
  await assert.rejects(store.put('b', Buffer.alloc(60), {}, never), { code: 'STORE_FULL' });
  assert.equal(await store.freeBytes(never), 40);
});
