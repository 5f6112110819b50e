import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DoctorReport } from '../../../src/runs/doctor/doctor.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { database, type Stack, startStack } from '../../support/stack.ts';

describe('doctor in its container', { concurrency: false }, () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack(database, { LIFEBOAT_NOTIFY_WEBHOOK_URL: 'https://hooks.example.org/x' }, 'daemon');
  });
  after(() => stack[Symbol.asyncDispose]());

  it('tries exec, half-close, a helper and a pipe on itself; everything passes and nothing is left', async () => {
    await using events = watchEvents();
    const ended = await stack.lifeboat('doctor', '--json');
    const { checks, result } = JSON.parse(ended.stdout) as DoctorReport;
    const bad = checks.filter(({ status }) => status !== 'pass');
    assert.deepEqual([bad, result, ended.code], [[], 'pass', 0]);
    const names = checks.filter(({ category }) => category === 'engine').map(({ name }) => name);
    for (const name of ['own container', 'exec works', 'half-close', 'helper works', 'pipe path'])
      assert.ok(names.includes(name), name);
    assert.match(checks.find(({ name }) => name === 'own container')?.message ?? '', /service sidecar of stack/);
    assert.deepEqual(await leftovers(stack.project, events), []);
    const { stdout } = await stack.compose('logs', '--no-log-prefix', 'sidecar');
    assert.doesNotMatch(stdout, /self-test/, 'the start had nothing to complain of either');
  });
});
