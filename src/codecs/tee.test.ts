import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import { type Branch, tee } from './tee.ts';

const never = new AbortController().signal;
const block = Buffer.alloc(64 * 1024, 'x');

function blocks(count: number, seen: { bytes: number } = { bytes: 0 }): Readable {
  return Readable.from(
    (function* () {
      for (let i = 0; i < count; i++) {
        seen.bytes += block.length;
        yield block;
      }
    })(),
  );
}

const reader = (name = 'reader'): Branch<number> => ({ name, consume: async (body) => (await buffer(body)).length });

test('every branch gets all bytes, results in their order', async () => {
  const results = await tee(blocks(100), [reader(), reader(), reader()], never);
  assert.deepEqual(results, Array(3).fill({ status: 'fulfilled', value: 100 * block.length }));
});

test('the slowest branch sets the pace and memory stays bounded', async () => {
  const seen = { bytes: 0 };
  let slowBytes = 0;
  let worst = 0;
  const slow: Branch<number> = {
    name: 'slow',
    consume: async (body) => {
      for await (const chunk of body) {
        slowBytes += chunk.length;
        worst = Math.max(worst, seen.bytes - slowBytes);
        if (slowBytes % (16 * block.length) === 0) await sleep(1);
      }
      return slowBytes;
    },
  };
  await tee(blocks(1600, seen), [reader(), slow], never);
  assert.equal(slowBytes, 1600 * block.length);
  assert.ok(worst < 6 * 1024 * 1024, `${worst} bytes ahead`);
});

test('a branch that fails aborts all others and the source, and its error is the one told', async () => {
  const cause = new LifeboatError('STORE_FULL', 'no space left');
  const source = blocks(10_000);
  let other: unknown;
  let othersReason: unknown;
  const run = tee(
    source,
    [
      {
        name: 'store',
        consume: async (body, signal) => {
          signal.addEventListener('abort', () => {
            othersReason = signal.reason;
          });
          await buffer(body).catch((error) => {
            other = error;
            throw error;
          });
        },
      },
      {
        name: 'full',
        consume: async (body) => {
          for await (const _ of body) throw cause;
        },
      },
    ],
    never,
  );
  await assert.rejects(run, cause);
  assert.equal(other, cause);
  assert.equal(othersReason, cause);
  assert.ok(source.destroyed);
});

test('a branch that may end early is let go, the others get everything', async () => {
  const prover: Branch<number> = {
    name: 'prover',
    mayEndEarly: true,
    consume: async (body) => {
      for await (const chunk of body) return chunk.length;
      return 0;
    },
  };
  const results = await tee(blocks(500), [prover, reader()], never);
  assert.deepEqual(results[1], { status: 'fulfilled', value: 500 * block.length });
});

test('a branch that ends early without leave fails the whole', async () => {
  const lazy: Branch<number> = { name: 'lazy', consume: async () => 0 };
  await assert.rejects(tee(blocks(500), [lazy, reader()], never), { message: /lazy was content before the end/ });
});

test('fault 65: a branch that may fail is dropped and the others finish; when all have failed the source stops', async () => {
  const broken: Branch<number> = {
    name: 'broken',
    mayFail: true,
    consume: async () => {
      throw new LifeboatError('STORE_UNAVAILABLE', 'gone');
    },
  };
  const [failed, fine] = await tee(blocks(500), [broken, reader()], never);
  assert.ok(failed?.status === 'rejected' && failed.reason.code === 'STORE_UNAVAILABLE');
  assert.deepEqual(fine, { status: 'fulfilled', value: 500 * block.length });
  const seen = { bytes: 0 };
  await assert.rejects(tee(blocks(500, seen), [broken, broken], never), { code: 'STORE_UNAVAILABLE' });
  assert.ok(seen.bytes < 100 * block.length);
});

test('fault 55: a source that fails fails every branch and never ends one', async () => {
  const cause = new Error('the dump died');
  const source = Readable.from(
    (async function* () {
      yield block;
      throw cause;
    })(),
  );
  const ends: string[] = [];
  const watch = (name: string): Branch<void> => ({
    name,
    consume: async (body) => {
      body.once('end', () => ends.push(name));
      await buffer(body);
    },
  });
  await assert.rejects(tee(source, [watch('a'), watch('b')], never), cause);
  assert.deepEqual(ends, []);
});

test('an abort reaches a branch that waits, and nothing is left running', async () => {
  const abort = new AbortController();
  const source = new Readable({ read() {} });
  let isOver = false;
  const run = tee(
    source,
    [{ name: 'waiting', consume: (body) => buffer(body).finally(() => sleep(20).then(() => (isOver = true))) }],
    abort.signal,
  );
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(run, { code: 'CANCELLED' });
  assert.ok(isOver && source.destroyed);
});

test('an abort does not wait for a source that is stuck', async () => {
  const abort = new AbortController();
  const stuck = Readable.from(
    (async function* () {
      yield block;
      await sleep(60_000, undefined, { ref: false });
    })(),
  );
  setTimeout(() => abort.abort(), 20);
  await assert.rejects(tee(stuck, [reader()], abort.signal), { code: 'CANCELLED' });
});

test('a signal that fired before the start aborts at once', async () => {
  const reason = new LifeboatError('STALLED', 'too late');
  await assert.rejects(tee(blocks(5), [reader()], AbortSignal.abort(reason)), reason);
});
