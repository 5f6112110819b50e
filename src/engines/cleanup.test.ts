import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { afterCleanup, withCleanup } from './cleanup.ts';

const first = new LifeboatError('RESTORE_FAILED', 'the copy differs', { hint: 'look', context: { errno: 7 } });
const second = new LifeboatError('COMMAND_FAILED', 'the server is gone');
const failing = () => Promise.reject(second);

test('a cleanup that fails as well does not hide what failed first', async () => {
  assert.equal(await afterCleanup(first, async () => {}), first);
  const { code, message, hint, context, cause } = (await afterCleanup(first, failing)) as LifeboatError;
  assert.deepEqual(
    { code, message, hint, context },
    {
      ...{ code: first.code, message: first.message, hint: 'look', context: { errno: 7 } },
    },
  );
  assert.deepEqual((cause as AggregateError).errors, [first, second]);
  const foreign = new Error('other');
  assert.deepEqual(((await afterCleanup(foreign, failing)) as AggregateError).errors, [foreign, second]);
});

test('work is cleaned up after, whether it fails or not', async () => {
  await assert.rejects(
    withCleanup(async () => 1, failing),
    second,
  );
  await assert.rejects(
    withCleanup(() => Promise.reject(first), failing),
    { message: first.message },
  );
  assert.equal(
    await withCleanup(
      async () => 1,
      async () => {},
    ),
    1,
  );
});
