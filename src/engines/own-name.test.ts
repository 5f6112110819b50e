import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOwnDatabase, keptName } from './own-name.ts';

const isTooLong = (name: string) => Buffer.byteLength(name) > 63;

test('what is kept bears its name and whose it is', () => {
  assert.equal(keptName('shop', 'k3f9a2', 0, isTooLong), 'shop__lifeboat_prev_k3f9a2');
});

test('databases whose names begin alike are kept under names of their own, none too long', () => {
  const databases = ['1', '2'].map((end) => `customer_${'ü'.repeat(24)}_production_${end}`.slice(0, 60));
  const kept = databases.map((database, number) => keptName(database, 'k3f9a2', number, isTooLong));
  assert.equal(new Set(kept).size, kept.length);
  for (const name of kept) assert.ok(!isTooLong(name) && isOwnDatabase(name), name);
});
