import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import { createMemoryStore } from '../../stores/memory.ts';
import type { Destination } from '../context.ts';
import { openDrafts } from './drafts.ts';

const never = new AbortController().signal;
const prefix = 'shop/db/postgres/20261121-030000-k3f9a2';

/** A destination whose drafts are counted as long as they are open. */
function destination(name: string, more: Partial<Destination['store']> = {}) {
  const store = createMemoryStore({ name });
  const open = new Set<string>();
  const draft: Destination['store']['draft'] = async (...ask) => {
    const made = await store.draft(...ask);
    open.add(name);
    return { ...made, discard: () => made.discard().then(() => void open.delete(name)) };
  };
  return { open, destination: { name, store: { ...store, draft, ...more } } as Destination };
}

test('a destination that goes away hides neither a success in another one nor the cause of a failure', async () => {
  const away = async () => {
    throw new LifeboatError('STORE_UNAVAILABLE', 'the server is away');
  };
  const [disk, cloud] = [destination('disk'), destination('cloud')];
  const { store } = cloud.destination;
  const broken = { ...store, draft: async () => ({ ...(await store.draft(prefix, never)), discard: away }) };
  const destinations = [{ ...cloud.destination, store: broken } as Destination, disk.destination];
  {
    await using drafts = await openDrafts(destinations, prefix, new Map(), never);
    assert.equal(drafts.length, 2);
  }
  assert.equal(disk.open.size, 0);
  const failing = async () => {
    await using _drafts = await openDrafts(destinations, prefix.replace('k3f9a2', 'k3f9a3'), new Map(), never);
    throw new LifeboatError('STORE_FULL', 'the disk is full');
  };
  await assert.rejects(failing, { code: 'STORE_FULL' });
});

test('what was opened before a cancellation is discarded, and its lease given back with it', async () => {
  const cancel = new AbortController();
  const disk = destination('disk');
  const slow = destination('slow', {
    draft: async (_prefix, signal) => {
      cancel.abort(new LifeboatError('CANCELLED', 'a person cancelled it'));
      throw signal.reason;
    },
  });
  const opening = openDrafts([disk.destination, slow.destination], prefix, new Map(), cancel.signal);
  await assert.rejects(opening, { code: 'CANCELLED' });
  assert.equal(disk.open.size, 0);
});
