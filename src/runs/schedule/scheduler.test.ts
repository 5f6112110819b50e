import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceName } from '../../domain/types.ts';
import type { History, SourceKey } from '../history/history.ts';
import { createScheduler, type DueGroup, type Scheduled } from './scheduler.ts';
import { jitterOf } from './timetable.ts';

const minute = 60_000;
const at = (time: string) => new Date(`2026-11-${time}Z`);
const after = (date: Date, ms: number) => new Date(date.getTime() + ms);
const daily = (name: SourceName, stack = 'shop'): Scheduled => ({ stack, name, schedule: '0 3 * * *' });

/** A history with these last attempts, and schedules that hold since then. */
function remembering(attempts: Readonly<Record<string, Date>> = {}, since: Readonly<Record<string, Date>> = {}) {
  const schedules = new Map<string, string>();
  const history: Pick<History, 'scheduledSince' | 'lastAttempt'> = {
    lastAttempt: ({ source }: SourceKey) => attempts[source],
    scheduledSince: ({ source }, schedule, now) => {
      const hasChanged = schedules.has(source) && schedules.get(source) !== schedule;
      schedules.set(source, schedule);
      return (hasChanged ? undefined : (since[source] ?? (attempts[source] && at('01T00:00')))) ?? now;
    },
  };
  return history;
}

function start(options: { jitterMs?: number; history?: ReturnType<typeof remembering> } = {}) {
  return createScheduler({ timezone: 'UTC', jitterMs: 0, history: remembering(), ...options });
}

/** Looks every minute from one moment to another; what was due when. */
function watch(scheduler: ReturnType<typeof start>, from: Date, to: Date): [string, readonly DueGroup[]][] {
  const seen: [string, readonly DueGroup[]][] = [];
  for (let now = from; now <= to; now = after(now, minute)) {
    const due = scheduler.takeDue(now);
    if (due.length > 0) seen.push([now.toISOString().slice(8, 16), due]);
  }
  return seen;
}

test('sources of a stack that come due in the same minute are one run, each time once', () => {
  const scheduler = start();
  scheduler.update([daily('db/postgres'), daily('app/files'), daily('db/postgres', 'blog')], at('21T01:00'));
  const group = (stack: string, ...names: SourceName[]) => ({ stack, names });
  const both = [group('shop', 'db/postgres', 'app/files'), group('blog', 'db/postgres')];
  assert.deepEqual(watch(scheduler, at('21T01:00'), at('23T02:00')), [
    ['21T03:00', both],
    ['22T03:00', both],
  ]);
});

test('different schedules that meet are one run too', () => {
  const scheduler = start();
  const hourly: Scheduled = { stack: 'shop', name: 'cache/redis', schedule: '@hourly' };
  scheduler.update([daily('db/postgres'), hourly], at('21T01:30'));
  const names = watch(scheduler, at('21T01:30'), at('21T04:00')).map(([time, [group]]) => [time, group?.names]);
  assert.deepEqual(names, [
    ['21T02:00', ['cache/redis']],
    ['21T03:00', ['db/postgres', 'cache/redis']],
    ['21T04:00', ['cache/redis']],
  ]);
});

test('jitter delays every time by the same, and the sources of a stack stay together', () => {
  const jitterMs = 10 * minute;
  const jitter = jitterOf('shop', jitterMs);
  assert.ok(jitter > 0);
  const scheduler = start({ jitterMs });
  scheduler.update([daily('db/postgres'), daily('app/files')], at('21T01:00'));
  const due = after(at('21T03:00'), jitter);
  assert.deepEqual(scheduler.nextDue(), due);
  assert.deepEqual(scheduler.next({ stack: 'shop', source: 'app/files' }), due);
  assert.deepEqual(scheduler.takeDue(after(due, -1)), []);
  assert.equal(scheduler.takeDue(due)[0]?.names.length, 2);
  assert.deepEqual(scheduler.nextDue(), after(at('22T03:00'), jitter));
});

test('a schedule tighter than its jitter loses no time', () => {
  const scheduler = start({ jitterMs: 10 * minute });
  scheduler.update([{ stack: 'shop', name: 'db/postgres', schedule: '* * * * *' }], at('21T01:00'));
  assert.equal(watch(scheduler, at('21T01:30'), at('21T02:29')).length, 60);
});

test('fault 70: what was missed while nothing ran is made up for once', () => {
  const scheduler = start({ history: remembering({ 'db/postgres': at('18T03:00') }) });
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  assert.deepEqual(
    watch(scheduler, at('21T10:00'), at('22T04:00')).map(([time]) => time),
    ['21T10:00', '22T03:00'],
  );
});

test('fault 70: made up for after the jitter, so that machines that start together do not', () => {
  const jitterMs = 10 * minute;
  const scheduler = start({ jitterMs, history: remembering({ 'db/postgres': at('18T03:00') }) });
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  assert.deepEqual(scheduler.nextDue(), after(at('21T10:00'), jitterOf('shop', jitterMs)));
});

test('fault 70: nothing is made up for when the last time was kept, however late it ran', () => {
  const scheduler = start({ history: remembering({ 'db/postgres': at('21T03:07') }) });
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  assert.deepEqual(scheduler.nextDue(), at('22T03:00'));
});

test('fault 70: a source that never ran, on a machine that is off every night, is made up for since it was first seen', () => {
  const scheduler = start({ history: remembering({}, { 'db/postgres': at('20T18:00') }) });
  scheduler.update([daily('db/postgres')], at('21T08:00'));
  assert.deepEqual(
    watch(scheduler, at('21T08:00'), at('21T12:00')).map(([time]) => time),
    ['21T08:00'],
  );
});

test('fault 70: without a history of its own nothing is made up for: the database may not be restored yet', () => {
  const last = { 'db/postgres': at('18T03:00') };
  const scheduler = start({ history: remembering(last, { 'db/postgres': at('21T10:00') }) });
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  assert.deepEqual(scheduler.nextDue(), at('22T03:00'));
});

test('fault 70: a suspended machine makes up once for all it slept through', () => {
  const scheduler = start();
  scheduler.update([daily('db/postgres')], at('19T01:00'));
  assert.deepEqual(scheduler.takeDue(at('19T02:00')), []);
  assert.equal(scheduler.takeDue(at('22T09:00')).length, 1);
  assert.deepEqual(scheduler.takeDue(at('22T09:01')), []);
  assert.deepEqual(scheduler.nextDue(), at('23T03:00'));
});

test('a new source and a changed schedule wait for their next time', () => {
  const scheduler = start();
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  assert.deepEqual(scheduler.takeDue(at('21T10:00')), []);
  scheduler.update([{ ...daily('db/postgres'), schedule: '30 9 * * *' }], at('21T10:05'));
  assert.deepEqual(scheduler.takeDue(at('21T10:05')), []);
  assert.deepEqual(scheduler.nextDue(), at('22T09:30'));
});

test('looking at the containers again changes nothing for those that stayed', () => {
  const scheduler = start();
  scheduler.update([daily('db/postgres')], at('21T02:59'));
  scheduler.update([daily('db/postgres'), daily('app/files')], at('21T03:01'));
  assert.deepEqual(scheduler.takeDue(at('21T03:01')), [{ stack: 'shop', names: ['db/postgres'] }]);
  scheduler.update([], at('21T03:02'));
  assert.equal(scheduler.nextDue(), undefined);
});

test('manual sources are never due by themselves, but belong to everything', () => {
  const scheduler = start();
  scheduler.update([{ stack: 'shop', name: 'db/postgres', schedule: 'manual' }], at('21T01:00'));
  assert.deepEqual(watch(scheduler, at('21T01:00'), at('22T01:00')), []);
  assert.deepEqual(scheduler.everything(), [{ stack: 'shop', names: ['db/postgres'] }]);
  assert.equal(scheduler.next({ stack: 'shop', source: 'db/postgres' }), undefined);
});

test('fault 68: after the clock was set back, times come again rather than never', () => {
  const scheduler = start();
  scheduler.update([daily('db/postgres')], new Date('2036-11-21T10:00Z'));
  scheduler.takeDue(new Date('2036-11-21T10:00Z'));
  assert.deepEqual(scheduler.takeDue(at('21T02:00')), []);
  assert.deepEqual(scheduler.nextDue(), at('21T03:00'));
  assert.equal(scheduler.takeDue(at('21T03:00')).length, 1);
});

test('fault 68: an attempt from the future does not stop the schedule', () => {
  const scheduler = start({ history: remembering({ 'db/postgres': new Date('2036-01-01T00:00Z') }) });
  scheduler.update([daily('db/postgres')], at('21T01:00'));
  assert.deepEqual(scheduler.nextDue(), at('21T03:00'));
});

test('what was missed can be left to somebody else', () => {
  const scheduler = start({ history: remembering({ 'db/postgres': at('18T03:00') }) });
  scheduler.update([daily('db/postgres')], at('21T10:00'));
  scheduler.skipMissed(at('21T10:00'));
  assert.deepEqual(scheduler.nextDue(), at('22T03:00'));
});

test('tells whether a source should have a backup by now', () => {
  const scheduler = start();
  const key: SourceKey = { stack: 'shop', source: 'db/postgres' };
  scheduler.update([daily('db/postgres')], at('21T01:00'));
  scheduler.takeDue(at('21T02:00'));
  assert.equal(scheduler.hasComeDue(key), false);
  scheduler.takeDue(at('21T03:00'));
  assert.equal(scheduler.hasComeDue(key), true);
  assert.equal(scheduler.hasComeDue({ stack: 'shop', source: 'no/such' }), false);
});
