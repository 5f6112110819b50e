import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from '../../domain/run-event.ts';
import { createEventBus } from './event-bus.ts';

const warning = (message: string): RunEvent => ({ type: 'warning', run: 'r', at: '2026-11-21T03:00:00Z', message });

function listening() {
  const complaints: [string, unknown][] = [];
  const bus = createEventBus({
    clean: (text) => text.replaceAll('s3cret', '[redacted]'),
    complain: (reader, error) => complaints.push([reader, error]),
  });
  return { bus, complaints };
}

test('every reader gets every event in order, as long as it wants', () => {
  const { bus } = listening();
  const [first, second]: RunEvent[][] = [[], []];
  bus.subscribe({ name: 'first', read: (event) => first?.push(event) });
  const leave = bus.subscribe({ name: 'second', read: (event) => second?.push(event) });
  bus.emit(warning('one'));
  leave();
  bus.emit(warning('two'));
  assert.deepEqual(first, [warning('one'), warning('two')]);
  assert.deepEqual(second, [warning('one')]);
});

test('a reader that throws or rejects hurts neither the run nor the others, and is complained of once', async () => {
  const { bus, complaints } = listening();
  const heard: RunEvent[] = [];
  bus.subscribe({
    name: 'throwing',
    read: () => {
      throw new Error('thrown');
    },
  });
  bus.subscribe({ name: 'rejecting', read: () => Promise.reject(new Error('rejected')) });
  bus.subscribe({ name: 'good', read: (event) => heard.push(event) });
  bus.emit(warning('one'));
  bus.emit(warning('two'));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(heard.length, 2);
  assert.deepEqual(complaints.map(([reader, error]) => [reader, String(error)]).toSorted(), [
    ['rejecting', 'Error: rejected'],
    ['throwing', 'Error: thrown'],
  ]);
});

test('a reader may leave or bring another while it reads', () => {
  const { bus } = listening();
  const heard: string[] = [];
  const leave = bus.subscribe({
    name: 'once',
    read: () => {
      leave();
      bus.subscribe({ name: 'next', read: () => heard.push('next') });
      heard.push('once');
    },
  });
  bus.emit(warning('one'));
  assert.deepEqual(heard, ['once']);
  bus.emit(warning('two'));
  assert.deepEqual(heard, ['once', 'next']);
});

test('fault 95: secrets are taken out of every sentence, however deep, before anybody reads; names stay names', () => {
  const { bus } = listening();
  const heard: RunEvent[] = [];
  bus.subscribe({ name: 'reader', read: (event) => heard.push(event) });
  const error = { code: 'LOGIN_FAILED', message: 'postgres://app:s3cret@db', hint: 'not s3cret' };
  bus.emit({
    type: 'source.finished',
    run: 'r',
    at: '2026-11-21T03:00:00Z',
    source: 's3cret/postgres',
    result: {
      source: 's3cret/postgres',
      result: 'degraded',
      durationMs: 7,
      destinations: [{ name: 'offsite', result: 'failed', error }],
    },
  });
  assert.doesNotMatch(JSON.stringify(heard), /:s3cret|not s3cret/);
  assert.equal(heard[0]?.type === 'source.finished' && heard[0].source, 's3cret/postgres');
  assert.match(JSON.stringify(heard), /"durationMs":7/);
});
