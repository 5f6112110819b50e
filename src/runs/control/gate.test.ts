import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Claim, createGate } from './gate.ts';

const source = (service: string, name = 'postgres') => ({ stack: 'shop', service, source: name });
const never = new AbortController().signal;

function claimed(claim: Claim | { takenBy: string }): Claim {
  assert.ok(!('takenBy' in claim));
  return claim;
}

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await new Promise((resolve) => setImmediate(resolve));
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test('fault 43: a source is claimed by one run at a time, from its queueing on', () => {
  const gate = createGate(2);
  const claim = claimed(gate.claim(source('db'), 'run-1'));
  assert.deepEqual(gate.claim(source('db'), 'run-2'), { takenBy: 'run-1' });
  assert.ok(!('takenBy' in gate.claim(source('db', 'files'), 'run-2')), 'another source of the service is free');
  assert.ok(!('takenBy' in gate.claim({ ...source('db'), stack: 'blog' }, 'run-2')), 'another stack is free');
  assert.equal(gate.claimedBy(source('db')), 'run-1');
  claim[Symbol.dispose]();
  claim[Symbol.dispose]();
  assert.ok(!('takenBy' in gate.claim(source('db'), 'run-3')));
});

test('no more than so many work at a time, in the order they came', async () => {
  const gate = createGate(2);
  const order: string[] = [];
  const turns = ['a', 'b', 'c', 'd'].map(async (service) => {
    const place = await claimed(gate.claim(source(service), 'run')).enter(never);
    order.push(service);
    return place;
  });
  assert.equal(await isDone(Promise.all(turns)), false);
  assert.deepEqual(order, ['a', 'b']);
  (await turns[1])?.[Symbol.dispose]();
  await turns[2];
  assert.deepEqual(order, ['a', 'b', 'c']);
  (await turns[0])?.[Symbol.dispose]();
  await turns[3];
});

test('a restore is refused while the service is backed up, and told by which run', async () => {
  const gate = createGate(2);
  using _place = await claimed(gate.claim(source('db'), '20261121-030000-k3f9a2')).enter(never);
  assert.throws(() => gate.occupy([source('app'), source('db')], 'restore'), {
    code: 'LOCKED',
    message: /db is being backed up by run k3f9a2/,
    hint: /lifeboat cancel k3f9a2/,
  });
  using _app = gate.occupy([source('app')], 'restore'); // Nothing was taken by the refused one.
});

test('a backup that only waits for its turn does not keep a restore out, but waits for it', async () => {
  const gate = createGate(2);
  const claim = claimed(gate.claim(source('db'), 'run'));
  const restore = gate.occupy([source('db')], 'restore');
  const entering = claim.enter(never);
  assert.equal(await isDone(entering), false);
  restore[Symbol.dispose]();
  (await entering)[Symbol.dispose]();
});

test('two restores never touch the same service', () => {
  const gate = createGate(2);
  using _first = gate.occupy([source('db'), source('app')], 'one');
  assert.throws(() => gate.occupy([source('app')], 'two'), { code: 'LOCKED', message: /app is being restored/ });
});

test('names that look like others are not taken for them', async () => {
  const gate = createGate(2);
  using _place = await claimed(gate.claim({ stack: 'a', service: 'b/c', source: 'd' }, 'run')).enter(never);
  using _other = gate.occupy([{ stack: 'a', service: 'b' }], 'restore');
  using _dots = gate.occupy([{ stack: 'a/b', service: 'c' }], 'restore');
});

test('who waits can give up, and gives nobody else a place by it', async () => {
  const gate = createGate(1);
  using _place = await claimed(gate.claim(source('a'), 'run')).enter(never);
  const controller = new AbortController();
  const waiting = claimed(gate.claim(source('b'), 'run')).enter(controller.signal);
  controller.abort(new Error('enough'));
  await assert.rejects(waiting, /enough/);
  assert.equal(await isDone(claimed(gate.claim(source('c'), 'run')).enter(never)), false);
});
