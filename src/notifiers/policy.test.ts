import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { degradedSource, endedSource, failedSource, finishedRun, goodSource } from '../../test/samples/outcome.ts';
import type { Occasion } from '../domain/channel.ts';
import { type PolicyState, repeatMs } from './open-problems.ts';
import type { EndedSource, Outcome, SourceRef } from './outcome.ts';
import { channelReached, judge, type Listener } from './policy.ts';

const minute = 60_000;
const hour = 60 * minute;
const start = Date.parse('2026-11-21T03:00:00.000Z');
const standard: readonly Occasion[] = ['failure', 'recovered', 'config-problem'];
const everything: readonly Occasion[] = [...standard, 'success'];

/** Tells one outcome after the other, as a process that keeps its state as JSON would. */
function teller(
  listeners: readonly Listener[] = [{ name: 'slack', on: standard }],
  hears = (_: string, __: SourceRef) => true,
) {
  let state: PolicyState = {};
  const tell = (outcome: Outcome): readonly string[] => {
    const judged = judge(state, outcome, listeners, hears);
    state = JSON.parse(JSON.stringify(judged.state)) as PolicyState;
    const names = judged.tellings.map(({ channel, type }) => (listeners.length > 1 ? `${channel} ${type}` : type));
    return names;
  };
  const run = (sources: readonly EndedSource[], afterMs = 0) =>
    tell(finishedRun(sources, { finishedAt: new Date(start + afterMs).toISOString() }));
  return { tell, run, state: () => state };
}

const other = 'cache/redis';

describe('policy', () => {
  it('tells one message per run, whatever happens in it', () => {
    const { run } = teller([{ name: 'slack', on: everything }]);
    run([failedSource({ source: 'app/files' })]);
    const sources = [
      failedSource(),
      degradedSource({ source: other }),
      goodSource({ source: 'app/files' }),
      endedSource({ source: 'x/y', result: 'skipped' }),
    ];
    assert.deepEqual(run(sources), ['run.failed']);
  });

  it('tells a failure at once, and not again while it stays the same', () => {
    const { run } = teller();
    assert.deepEqual(run([failedSource()]), ['run.failed']);
    for (let after = 15 * minute; after < repeatMs; after += 15 * minute)
      assert.deepEqual(run([failedSource()], after), []);
  });

  it('tells the same problem again after a day, also when a run ends a little earlier than the day before', () => {
    const { run } = teller();
    for (const [day, shift] of [0, -20 * minute, 5 * minute, -50 * minute].entries()) {
      assert.deepEqual(run([failedSource()], day * 24 * hour + shift), ['run.failed'], `day ${day}`);
    }
  });

  it('tells the same problem once a day also when it comes back every quarter of an hour', () => {
    const { run } = teller();
    let told = 0;
    for (let after = 0; after < 66 * hour; after += 15 * minute) told += run([failedSource()], after).length;
    assert.equal(told, 3);
  });

  it('tells a different problem of the same source at once, and does not swing between two', () => {
    const { run } = teller();
    const full = failedSource({ error: { code: 'STORE_FULL', message: 'no space' } });
    const varying = failedSource({ error: { code: 'COMMAND_FAILED', message: 'pid 4711 has died' } });
    assert.deepEqual(run([failedSource()]), ['run.failed']);
    assert.deepEqual(run([varying], minute), [], 'only the text differs');
    assert.deepEqual(run([full], 2 * minute), ['run.failed']);
    for (let n = 3; n < 20; n++) assert.deepEqual(run([n % 2 ? failedSource() : full], n * minute), []);
  });

  it('tells a recovery exactly once after a failure, and never without one', () => {
    const { run } = teller();
    assert.deepEqual(run([goodSource()]), []);
    run([failedSource()]);
    run([failedSource()], minute);
    assert.deepEqual(run([goodSource()], 2 * minute), ['run.recovered']);
    assert.deepEqual(run([goodSource()], 3 * minute), []);
    assert.deepEqual(run([failedSource()], 4 * minute), ['run.failed'], 'a new failure is news again');
  });

  it('tells the recovery of one source while another goes on failing', () => {
    const { run } = teller();
    run([failedSource(), failedSource({ source: other })]);
    assert.deepEqual(run([failedSource(), goodSource({ source: other })], minute), ['run.recovered']);
    assert.deepEqual(run([goodSource(), goodSource({ source: other })], 2 * minute), ['run.recovered']);
  });

  it('takes a missed destination for a problem, and a new one for another', () => {
    const { run } = teller();
    assert.deepEqual(run([degradedSource()]), ['run.degraded']);
    assert.deepEqual(run([degradedSource()], minute), []);
    const both = degradedSource({
      destinations: ['offsite', 'second'].map((name) => ({
        name,
        result: 'failed',
        error: { code: 'STORE_UNAVAILABLE', message: '' },
      })),
    });
    assert.deepEqual(run([both], 2 * minute), ['run.degraded']);
    assert.deepEqual(run([failedSource()], 3 * minute), ['run.failed']);
    assert.deepEqual(run([goodSource()], 4 * minute), ['run.recovered']);
  });

  it('takes a partial backup for a problem, but not for a failure', () => {
    const { run } = teller();
    const partial = goodSource({ result: 'partial', error: { code: 'DUMP_INCOMPLETE', message: '' } });
    assert.deepEqual(run([partial]), ['run.degraded']);
    assert.deepEqual(run([partial], minute), []);
    assert.deepEqual(run([goodSource()], 2 * minute), ['run.recovered']);
  });

  it('learns nothing from what was cancelled or skipped', () => {
    const { run, tell } = teller([{ name: 'slack', on: everything }]);
    run([failedSource()]);
    assert.deepEqual(run([endedSource({ result: 'cancelled' })], minute), []);
    assert.deepEqual(run([endedSource({ result: 'skipped' })], minute), []);
    assert.deepEqual(tell(finishedRun([], { result: 'cancelled', finishedAt: new Date(start).toISOString() })), []);
    assert.deepEqual(run([goodSource()], 2 * minute), ['run.recovered']);
  });

  it('tells what had failed before a run was cancelled', () => {
    const { tell } = teller();
    const run = finishedRun([failedSource(), endedSource({ source: other, result: 'cancelled' })], {
      result: 'cancelled',
    });
    assert.deepEqual(tell(run), ['run.failed']);
  });

  it('tells a run that never came to its sources, to everybody, and its recovery', () => {
    const { tell, run } = teller([{ name: 'slack', on: standard }], () => false);
    const broken = finishedRun([], { result: 'failed', error: { code: 'DOCKER_UNAVAILABLE', message: 'no Engine' } });
    assert.deepEqual(tell(broken), ['run.failed']);
    assert.deepEqual(tell(broken), []);
    assert.deepEqual(
      tell(finishedRun([], { result: 'failed' })),
      ['run.failed'],
      'a failure without a reason counts too',
    );
    assert.deepEqual(run([goodSource()], 4 * hour), ['run.recovered']);
  });

  it('tells a success only where asked for', () => {
    assert.deepEqual(teller().run([goodSource()]), []);
    const { run } = teller([{ name: 'slack', on: ['success'] }]);
    assert.deepEqual(run([goodSource()]), ['run.succeeded']);
    assert.deepEqual(run([goodSource()], minute), ['run.succeeded']);
    assert.deepEqual(run([failedSource()], 2 * minute), []);
    assert.deepEqual(
      run([goodSource()], 3 * minute),
      ['run.succeeded'],
      'a recovery is a success to whoever did not ask for recoveries',
    );
    assert.deepEqual(run([goodSource(), endedSource({ source: other, result: 'skipped' })], 4 * minute), []);
    assert.deepEqual(run([], 5 * minute), []);
  });

  it('asks each channel what it wants to hear', () => {
    const { run } = teller([
      { name: 'a', on: ['failure'] },
      { name: 'b', on: ['recovered'] },
      { name: 'c', on: [] },
    ]);
    assert.deepEqual(run([failedSource()]), ['a run.failed']);
    assert.deepEqual(run([goodSource()], minute), ['b run.recovered']);
  });

  it('tells each channel only of the services it hears of', () => {
    const listeners = [
      { name: 'a', on: everything },
      { name: 'b', on: everything },
    ];
    const { run } = teller(listeners, (channel, { source }) => (source === other ? channel === 'a' : channel === 'b'));
    assert.deepEqual(run([failedSource(), goodSource({ source: other })]), ['a run.succeeded', 'b run.failed']);
    assert.deepEqual(run([goodSource(), failedSource({ source: other })], minute), ['a run.failed', 'b run.recovered']);
  });

  it('keeps sources of the same name in two stacks apart', () => {
    const { run } = teller();
    run([failedSource({ stack: 'shop' })]);
    assert.deepEqual(run([goodSource({ stack: 'blog' })], minute), []);
    assert.deepEqual(run([failedSource({ stack: 'blog' })], 2 * minute), ['run.failed']);
    assert.deepEqual(run([goodSource({ stack: 'shop' })], 3 * minute), ['run.recovered']);
  });

  it('tells every failed restore, and a good one only where asked for', () => {
    const restore = {
      kind: 'restore',
      run: 'r',
      stack: 'shop',
      source: 'db/postgres',
      startedAt: '',
      finishedAt: '2026-11-21T03:00:00.000Z',
    } as const;
    const { tell, state } = teller();
    for (let n = 0; n < 2; n++) assert.deepEqual(tell({ ...restore, result: 'failed' }), ['restore.failed']);
    assert.deepEqual(tell({ ...restore, result: 'ok' }), []);
    assert.deepEqual(tell({ ...restore, result: 'cancelled' }), []);
    assert.deepEqual(state(), {});
    assert.deepEqual(teller([{ name: 'a', on: everything }]).tell({ ...restore, result: 'ok' }), ['restore.succeeded']);
    assert.deepEqual(teller([{ name: 'a', on: everything }], () => false).tell({ ...restore, result: 'failed' }), []);
  });

  it('tells new problems of the configuration, not old ones, and those that came back', () => {
    const { tell, run, state } = teller();
    const config = (afterMs: number, ...wheres: readonly string[]) =>
      tell({
        kind: 'config',
        at: new Date(start + afterMs).toISOString(),
        problems: wheres.map((where) => ({ where, message: 'canary secret' })),
      });
    assert.deepEqual(config(0, 'a'), ['config.problem']);
    assert.deepEqual(config(minute, 'a'), []);
    assert.deepEqual(config(2 * minute, 'a', 'b'), ['config.problem']);
    assert.deepEqual(config(3 * minute, 'b'), []);
    assert.deepEqual(config(4 * minute, 'a', 'b'), ['config.problem']);
    assert.doesNotMatch(JSON.stringify(state()), /canary/, 'the state may be stored: no text from outside in it');
    assert.deepEqual(config(30 * hour, 'a', 'b'), [], 'once per change');
    config(31 * hour);
    assert.deepEqual(state(), {});
    run([failedSource()], 32 * hour);
    config(32 * hour);
    assert.deepEqual(run([goodSource()], 33 * hour), ['run.recovered'], 'configuration says nothing of sources');
  });

  it('tells of a dead channel through the others, once a day until it was reached', () => {
    const listeners = [
      { name: 'slack', on: standard },
      { name: 'webhook', on: standard },
      { name: 'quiet', on: ['failure'] as const },
    ];
    const dead = (afterMs: number) =>
      ({
        kind: 'channel',
        at: new Date(start + afterMs).toISOString(),
        channel: 'slack',
        message: 'no answer',
      }) as const;
    const first = judge({}, dead(0), listeners, () => true);
    assert.deepEqual(
      first.tellings.map(({ channel }) => channel),
      ['webhook'],
    );
    assert.equal(judge(first.state, dead(minute), listeners, () => true).tellings.length, 0);
    assert.equal(judge(first.state, dead(25 * hour), listeners, () => true).tellings.length, 1);
    const reached = channelReached(first.state, 'slack');
    assert.equal(judge(reached, dead(minute), listeners, () => true).tellings.length, 1);
    assert.equal(channelReached(reached, 'slack'), reached);
  });

  it('is not silenced by a clock that jumps', () => {
    const { run } = teller();
    run([failedSource()]);
    assert.deepEqual(run([failedSource()], -hour), ['run.failed']);
    const { tell } = teller();
    assert.deepEqual(tell(finishedRun([failedSource()], { finishedAt: 'nonsense' })), ['run.failed']);
    assert.deepEqual(tell(finishedRun([failedSource()], { finishedAt: 'nonsense' })), ['run.failed']);
  });

  it('forgets sources that are gone for good, and keeps the rest small', () => {
    const { run, state } = teller();
    run([failedSource({ source: 'old/postgres' })]);
    for (let day = 0; day < 500; day++) {
      run([failedSource({ error: { code: `CODE_${day}`, message: '' } })], day * 24 * hour);
    }
    assert.deepEqual(Object.keys(state()), ['["shop","db/postgres"]']);
    assert.ok(JSON.stringify(state()).length < 300);
  });

  it('does not change what it was given', () => {
    const state = Object.freeze({});
    const before = judge(state, finishedRun([failedSource()]), [], () => true).state;
    const copy = structuredClone(before);
    judge(before, finishedRun([goodSource()]), [], () => true);
    assert.deepEqual(before, copy);
  });
});
