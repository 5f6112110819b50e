import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import type { Container } from '../../domain/types.ts';
import type { Lifecycle } from '../context.ts';
import { stopServices } from './stopped.ts';

const source = { name: 'db/postgres' as const, settings: { stopGraceMs: 1 } as never };
const container = (service: string) => ({ service }) as Container;
const signal = new AbortController().signal;

/** A lifecycle that writes down what it is asked, and fails where it shall. */
function recorded(failing: { stop?: string; start?: string; settle?: string } = {}) {
  const acts: string[] = [];
  const warnings: string[] = [];
  const act = (what: keyof typeof failing, service: string) => {
    acts.push(`${what} ${service}`);
    if (failing[what] === service) throw new LifeboatError('QUIESCE_FAILED', `cannot ${what} ${service}`);
  };
  const lifecycle: Lifecycle = {
    stop: async ({ service }) => {
      act('stop', service);
      return { leave: () => acts.push(`leave ${service}`), [Symbol.asyncDispose]: async () => act('start', service) };
    },
    settled: async ({ service }) => act('settle', service),
  };
  const log = {
    step: <T>(_source: string, _step: string, _detail: string, run: () => Promise<T>) => run(),
    warn: (_source: string, message: string) => void warnings.push(message),
  };
  return {
    acts,
    warnings,
    stop: () => stopServices(lifecycle, ['worker', 'app', 'cache'].map(container), source, log, signal),
  };
}

test('what was stopped starts again in the reverse order, each after the one before has settled', async () => {
  const world = recorded();
  await using stopped = await world.stop();
  assert.deepEqual(await stopped.startAgain(signal), ['cache', 'app', 'worker']);
  assert.deepEqual(world.acts.slice(3), [
    ...['start cache', 'settle cache'],
    ...['start app', 'settle app'],
    ...['start worker', 'settle worker'],
  ]);
});

test('a service that does not come up keeps no other one down, and is told of', async () => {
  for (const failing of [{ start: 'app' }, { settle: 'app' }]) {
    const world = recorded(failing);
    await using stopped = await world.stop();
    await stopped.startAgain(signal);
    assert.ok(world.acts.includes('start worker'), 'the last one is started');
    assert.match(world.warnings.join(), /app does not come up again: cannot/);
  }
});

test('when one cannot be stopped, those before it are started again', async () => {
  const world = recorded({ stop: 'cache' });
  await assert.rejects(world.stop(), /cannot stop cache/);
  assert.deepEqual(world.acts.slice(3), ['start app', 'start worker']);
});

test('leaving without a word starts everything, also when one fails', async () => {
  const world = recorded({ start: 'cache' });
  {
    await using _stopped = await world.stop();
  }
  assert.deepEqual(world.acts.slice(3), ['start cache', 'start app', 'start worker']);
});

test('what is left for later is not started, and whoever holds it as well knows', async () => {
  const world = recorded();
  {
    await using stopped = await world.stop();
    assert.deepEqual(
      stopped.leave().map(({ service }) => service),
      ['worker', 'app', 'cache'],
    );
  }
  assert.deepEqual(world.acts.slice(3), ['leave worker', 'leave app', 'leave cache']);
});
