import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import { createRunningRuns } from './running.ts';

const facts = (run: string) => ({ run, trigger: 'manual', sources: [], startedAt: '2026-11-21T03:00:00Z' });
const reason = new LifeboatError('CANCELLED', 'a person cancelled it');
const never = new AbortController().signal;

test('a run is cancelled by its whole or short id, and only that one', () => {
  const running = createRunningRuns();
  using one = running.begin(facts('20261121-030000-aaaaaa'), never);
  using two = running.begin(facts('20261121-030000-bbbbbb'), never);
  assert.equal(running.cancel('bbbbbb', reason), '20261121-030000-bbbbbb');
  assert.equal(one.signal.aborted, false);
  assert.equal(two.signal.reason, reason);
  assert.throws(() => running.cancel('cccccc', reason), { code: 'RUN_NOT_FOUND', hint: 'under way: aaaaaa, bbbbbb' });
});

test('a run that is over is unknown, and nothing is under way any more', async () => {
  const running = createRunningRuns();
  const idle: string[] = [];
  {
    using _run = running.begin(facts('20261121-030000-aaaaaa'), never);
    running.idle().then(() => idle.push('idle'), assert.ifError);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(idle, []);
    assert.equal(running.all().length, 1);
  }
  await running.idle();
  assert.deepEqual(idle, ['idle']);
  assert.throws(() => running.cancel('aaaaaa', reason), { hint: 'nothing runs at the moment' });
});

test('all can be ended at once, and the signal around a run ends it too', () => {
  const running = createRunningRuns();
  const outer = new AbortController();
  using one = running.begin(facts('20261121-030000-aaaaaa'), outer.signal);
  outer.abort(reason);
  assert.equal(one.signal.aborted, true);
  using two = running.begin(facts('20261121-030000-bbbbbb'), never);
  assert.deepEqual(running.cancelAll(reason), ['20261121-030000-aaaaaa', '20261121-030000-bbbbbb']);
  assert.equal(two.signal.reason, reason);
});
