import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { contentOf, keysOf, testStore } from '../../test/contracts/store.ts';
import { LifeboatError } from '../domain/errors.ts';
import { createMemoryStore } from './memory.ts';
import { retrying } from './retrying.ts';
import type { Store } from './store.ts';

const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);
const slept: number[] = [];
const quick = {
  attempts: 4,
  baseMs: 100,
  maxMs: 250,
  random: () => 1,
  sleep: async (ms: number) => {
    slept.push(ms);
  },
};

testStore('retrying(memory)', async () => ({
  store: retrying(createMemoryStore(), quick),
  leftovers: async () => [],
}));

/** A store whose next calls fail, before they did anything or after. */
function flaky(failures: number, { retryable = true, after = false } = {}): { store: Store; calls(): number } {
  const memory = createMemoryStore();
  let calls = 0;
  const gate = async <T>(act: () => Promise<T>): Promise<T> => {
    calls += 1;
    if (calls > failures) return act();
    if (after) await act();
    throw new LifeboatError('STORE_UNAVAILABLE', `failure ${calls}`, { retryable });
  };
  return {
    calls: () => calls,
    store: {
      ...memory,
      put: (...args) => gate(() => memory.put(...args)),
      get: (...args) => gate(() => memory.get(...args)),
      remove: (...args) => gate(() => memory.remove(...args)),
      async *list(...args) {
        await gate(async () => undefined);
        yield* memory.list(...args);
      },
    },
  };
}

test('repeats what failed for a passing reason, with growing pauses up to a limit', async () => {
  for (const call of [
    (store: Store) => store.put('a', text('x'), {}, never),
    (store: Store) => store.remove('a', never),
    (store: Store) => keysOf(store),
  ]) {
    slept.length = 0;
    const { store, calls } = flaky(3);
    await call(retrying(store, quick));
    assert.equal(calls(), 4);
    assert.deepEqual(slept, [100, 200, 250]);
  }
});

test('gives up after the last attempt with the last failure', async () => {
  const { store, calls } = flaky(9);
  await assert.rejects(retrying(store, quick).remove('a', never), { message: 'failure 4' });
  assert.equal(calls(), 4);
});

test('does not repeat what will fail again', async () => {
  const { store, calls } = flaky(1, { retryable: false });
  await assert.rejects(retrying(store, quick).remove('a', never), { code: 'STORE_UNAVAILABLE' });
  await assert.rejects(retrying(store, quick).get('a', never), { code: 'OBJECT_NOT_FOUND' });
  assert.equal(calls(), 2);
});

test('never repeats a put whose body is a stream', async () => {
  const { store, calls } = flaky(1);
  await assert.rejects(retrying(store, quick).put('a', Readable.from(['x']), {}, never), { message: 'failure 1' });
  assert.equal(calls(), 1);
});

test('a listing that broke off after it had begun is not repeated: it would yield twice', async () => {
  const memory = createMemoryStore();
  await memory.put('a', text('a'), {}, never);
  let calls = 0;
  const store = retrying(
    {
      ...memory,
      async *list(...args) {
        calls += 1;
        yield* memory.list(...args);
        throw new LifeboatError('STORE_UNAVAILABLE', 'page 2 failed', { retryable: true });
      },
    },
    quick,
  );
  await assert.rejects(keysOf(store), { message: 'page 2 failed' });
  assert.equal(calls, 1);
});

test('a listing that is not read to its end is closed', async () => {
  const memory = createMemoryStore();
  for (const key of ['a', 'b']) await memory.put(key, text(key), {}, never);
  let isClosed = false;
  const store = retrying({
    ...memory,
    async *list(...args) {
      try {
        yield* memory.list(...args);
      } finally {
        isClosed = true;
      }
    },
  });
  for await (const _ of store.list('', never)) break;
  assert.ok(isClosed);
});

test('an ifAbsent put whose answer was lost recognises its own object, and only that', async () => {
  const lost = flaky(1, { after: true });
  await retrying(lost.store, quick).put('a', text('mine'), { ifAbsent: true }, never);
  assert.equal(String(await contentOf(lost.store, 'a')), 'mine');
  const other = flaky(1);
  const store = retrying(
    {
      ...other.store,
      put: async (...args) => {
        // Somebody else is faster between our two attempts.
        if (other.calls() === 1) await other.store.put('a', text('theirs'), {}, never);
        return other.store.put(...args);
      },
    },
    quick,
  );
  await assert.rejects(store.put('a', text('mine'), { ifAbsent: true }, never), { code: 'OBJECT_EXISTS' });
});

test('an abort ends the waiting between two attempts', async () => {
  const abort = new AbortController();
  const { store, calls } = flaky(9);
  const patient = retrying(store, { attempts: 9, baseMs: 60_000, maxMs: 60_000 });
  const run = patient.remove('a', abort.signal);
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(run, { code: 'CANCELLED' });
  assert.equal(calls(), 1);
});

test('pauses are spread by chance', async () => {
  slept.length = 0;
  const { store } = flaky(2);
  await retrying(store, { ...quick, random: () => 0 }).remove('a', never);
  assert.deepEqual(slept, [50, 100]);
});
