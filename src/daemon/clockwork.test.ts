import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { RunEvent } from '../domain/run-event.ts';
import type { SourceName } from '../domain/types.ts';
import type { RunContext } from '../runs/context.ts';
import { createRunControl } from '../runs/control/control.ts';
import { createScheduler } from '../runs/schedule/scheduler.ts';
import type { Source } from '../runs/source.ts';
import { createClockwork } from './clockwork.ts';
import { readHealth } from './health.ts';

/** A source whose backup fails at its first step: what happens around it is looked at here. */
const source = (name: SourceName, schedule = '* * * * *', stack = 'shop') => {
  const [service = '', kind = ''] = name.split('/');
  return { name, stack, service, source: kind, settings: { schedule, timeoutMs: 10_000 }, container: {} } as Source;
};

/** A clockwork whose clock stands where it is put. */
function clockwork({ runOnStart = false, sources = [source('db/postgres')] } = {}) {
  const state = {
    now: new Date('2026-11-21T03:00:30Z'),
    sources,
    engine: undefined as Error | undefined,
    looks: 0,
    slowMs: 0,
  };
  const events: RunEvent[] = [];
  const lines: string[] = [];
  const at = (level: string) => (message: string, fields?: { source?: string | undefined }) =>
    void lines.push(`${level} ${fields?.source ?? ''} ${message}`);
  const control = createRunControl(2);
  const context = {
    sources: async () => {
      state.looks += 1;
      if (state.engine) throw state.engine;
      return { sources: state.sources, uncovered: [] };
    },
    refresh: async () => {
      await sleep(state.slowMs);
      throw new LifeboatError('SOURCE_NOT_RUNNING', 'not running');
    },
    destinations: async () => [],
    emit: (event: RunEvent) => void events.push(event),
    now: () => state.now,
  } as unknown as RunContext;
  const work = createClockwork({
    scheduler: createScheduler({
      timezone: 'UTC',
      jitterMs: 0,
      history: { lastAttempt: () => undefined, scheduledSince: (_source, _schedule, now) => now },
    }),
    context,
    control,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    enter: async () => ({ [Symbol.dispose]: () => {} }),
    runOnStart,
  });
  const stop = new AbortController();
  const started = (type: RunEvent['type']) => events.filter((event) => event.type === type);
  /** Puts the clock forward and lets it look. */
  const advance = async (seconds: number) => {
    state.now = new Date(state.now.getTime() + seconds * 1000);
    work.retry();
    await sleep(30);
  };
  return { work, state, events, lines, control, stop, started, advance };
}

test('what comes due in the same minute is one run, and a failure of it is told', async () => {
  const { work, stop, started, advance } = clockwork({ sources: [source('db/postgres'), source('app/files')] });
  const keeping = work.keep(stop.signal);
  await sleep(20);
  assert.equal(started('run.started').length, 0);
  await advance(30);
  const [run, ...others] = started('run.started');
  assert.deepEqual(others, []);
  assert.ok(run?.type === 'run.started' && run.trigger === 'schedule');
  assert.deepEqual(run.sources, ['db/postgres', 'app/files']);
  assert.equal(started('source.finished').length, 2);
  stop.abort();
  await keeping;
});

test('fault 16: a run that cannot begin is told as failed, and begun again once the Engine is back', async () => {
  const { work, state, stop, started, advance, events } = clockwork();
  const keeping = work.keep(stop.signal);
  await sleep(20);
  state.engine = new LifeboatError('DOCKER_UNAVAILABLE', 'the Engine does not answer');
  await advance(30);
  const [failed] = started('source.finished');
  assert.ok(failed?.type === 'source.finished' && failed.result.error?.code === 'DOCKER_UNAVAILABLE');
  assert.equal(failed.stack, 'shop');
  assert.equal(started('run.finished').length, 1);
  await advance(1);
  assert.equal(started('run.started').length, 2, 'the wake-up of this test tried again, in vain');
  state.engine = undefined;
  events.length = 0;
  await advance(1);
  assert.equal(started('run.started').length, 1);
  await advance(1);
  assert.equal(started('run.started').length, 1, 'once');
  stop.abort();
  await keeping;
});

test('fault 43: a source that is still being backed up when it is due again is left out, and its run says so', async () => {
  const { work, control, stop, started, advance, events } = clockwork();
  const claim = control.gate.claim({ stack: 'shop', service: 'db', source: 'postgres' }, '20261121-020000-k3f9a2');
  assert.ok(!('takenBy' in claim));
  const keeping = work.keep(stop.signal);
  await sleep(20);
  await advance(30);
  assert.deepEqual(started('run.started'), []);
  const [warning] = events;
  assert.ok(warning?.type === 'warning' && warning.run === '20261121-020000-k3f9a2');
  assert.match(warning.message, /due again/);
  claim[Symbol.dispose]();
  await advance(60);
  assert.equal(started('run.started').length, 1, 'the next time it is its turn');
  stop.abort();
  await keeping;
});

test('runs everything once at the start where that is wanted, also what is manual', async () => {
  const sources = [source('db/postgres'), source('app/files', 'manual'), source('db/postgres', '@daily', 'blog')];
  const { work, stop, started } = clockwork({ runOnStart: true, sources });
  const keeping = work.keep(stop.signal);
  await sleep(50);
  assert.deepEqual(
    started('run.started').map((event) => event.type === 'run.started' && [event.trigger, event.sources]),
    [
      ['start', ['db/postgres', 'app/files']],
      ['start', ['db/postgres']],
    ],
  );
  stop.abort();
  await keeping;
});

test('tells of sources that come and go, and looks soon after containers did', async () => {
  const { work, state, stop, lines } = clockwork();
  const keeping = work.keep(stop.signal);
  await sleep(20);
  assert.equal(state.looks, 1);
  state.sources = [source('cache/redis')];
  for (let i = 0; i < 5; i++) work.changed();
  await sleep(300);
  assert.equal(state.looks, 1, 'more may happen yet');
  await sleep(2_000);
  assert.equal(state.looks, 2, 'once for all that happened together');
  assert.ok(lines.includes('info db/postgres found, schedule * * * * *'));
  assert.ok(lines.includes('info cache/redis found, schedule * * * * *'));
  assert.ok(lines.includes('warn db/postgres has no container any more and is not backed up'));
  stop.abort();
  await keeping;
});

test('an Engine that is away leaves what was known scheduled', async () => {
  const { work, state, stop, started, advance } = clockwork();
  const keeping = work.keep(stop.signal);
  await sleep(20);
  state.engine = new Error('away');
  work.changed();
  await sleep(2_200);
  state.engine = undefined;
  await advance(30);
  assert.equal(started('run.started').length, 1);
  stop.abort();
  await keeping;
});

test('fault 102: a clockwork that stands still is an ailment', async (t) => {
  const { work, stop } = clockwork();
  assert.equal(readHealth([work]).isHealthy, true, 'nobody has started it yet');
  const keeping = work.keep(stop.signal);
  await sleep(20);
  const { now } = performance;
  t.mock.method(performance, 'now', () => now.call(performance) + 61_000);
  assert.match(readHealth([work]).problems[0]?.message ?? '', /not looked at the clock for 61 s/);
  t.mock.reset();
  assert.equal(readHealth([work]).isHealthy, true);
  stop.abort();
  await keeping;
});

test('ends with everything it started', async () => {
  const { work, state, stop, started } = clockwork();
  const keeping = work.keep(stop.signal);
  await sleep(20);
  state.slowMs = 100;
  state.now = new Date('2026-11-21T03:01:00Z');
  work.retry();
  await sleep(20);
  assert.deepEqual([started('run.started').length, started('run.finished').length], [1, 0]);
  stop.abort();
  await keeping;
  assert.equal(started('run.finished').length, 1);
});
