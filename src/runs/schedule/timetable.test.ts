import assert from 'node:assert/strict';
import { test } from 'node:test';
import { schedule } from '../../domain/schedule.ts';
import { jitterOf, nextTime } from './timetable.ts';

/** All times of a schedule between two moments, as the time zone's clocks show them. */
function times(line: string, zone: string, from: string, to: string): string[] {
  const shown: string[] = [];
  const end = new Date(to);
  for (let at = nextTime(line, zone, new Date(from)); at && at <= end; at = nextTime(line, zone, at)) {
    assert.ok(shown.length < 1000, 'an endless loop');
    shown.push(at.toLocaleString('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'short' }));
  }
  return shown;
}

for (const [zone, line, from, to, wanted] of [
  ['Europe/Vienna', '30 2 * * *', '2026-03-27T12:00Z', '2026-03-30T12:00Z', ['28 02:30', '29 03:00', '30 02:30']],
  ['Europe/Vienna', '30 2 * * *', '2026-10-23T12:00Z', '2026-10-26T12:00Z', ['24 02:30', '25 02:30', '26 02:30']],
  ['America/New_York', '30 2 * * *', '2026-03-06T12:00Z', '2026-03-09T12:00Z', ['07 02:30', '08 03:00', '09 02:30']],
  ['America/New_York', '30 1 * * *', '2026-10-30T12:00Z', '2026-11-02T12:00Z', ['31 01:30', '01 01:30', '02 01:30']],
  ['Australia/Lord_Howe', '15 2 * * *', '2026-10-02T16:00Z', '2026-10-05T03:00Z', ['04 02:30', '05 02:15']],
  ['Australia/Lord_Howe', '45 1 * * *', '2026-04-03T16:00Z', '2026-04-06T03:00Z', ['05 01:45', '06 01:45']],
  ['America/Sao_Paulo', '@daily', '2018-11-02T12:00Z', '2018-11-05T12:00Z', ['03 00:00', '04 01:00', '05 00:00']],
  ['Europe/Vienna', '30 2,14 * * *', '2026-03-28T12:00Z', '2026-03-29T22:00Z', ['28 14:30', '29 03:00', '29 14:30']],
] as const) {
  test(`fault 69: ${line} in ${zone} after ${from}: once per civil day`, () => {
    assert.deepEqual(
      times(line, zone, from, to).map((time) => time.slice(8)),
      wanted,
    );
  });
}

test('fault 69: a whole year of days has each day once, in every zone', () => {
  for (const zone of ['Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'UTC']) {
    const days = times('30 2 * * *', zone, '2025-12-31T23:59Z', '2026-12-31T12:00Z').map((time) => time.slice(0, 10));
    assert.equal(new Set(days).size, days.length, `${zone}: a day twice`);
    assert.ok(days.length >= 364, `${zone}: ${days.length} days`);
  }
});

test('fault 69: an hourly schedule runs in both of two hours with the same name, and not in one that does not exist', () => {
  const autumn = times('@hourly', 'Europe/Vienna', '2026-10-24T22:30Z', '2026-10-25T02:30Z');
  assert.deepEqual(
    autumn.map((time) => time.slice(11)),
    ['01:00', '02:00', '02:00', '03:00'],
  );
  const spring = times('@hourly', 'Europe/Vienna', '2026-03-28T23:30Z', '2026-03-29T02:30Z');
  assert.deepEqual(
    spring.map((time) => time.slice(11)),
    ['01:00', '03:00', '04:00'],
  );
});

test('an interval counts from a fixed moment, so that a restart does not shift it', () => {
  const at = (time: string) => nextTime('@every 6h', 'Europe/Vienna', new Date(time))?.toISOString();
  assert.equal(at('2026-11-21T08:51:00Z'), '2026-11-21T12:00:00.000Z');
  assert.equal(at('2026-11-21T12:00:00Z'), '2026-11-21T18:00:00.000Z');
  assert.equal(at('2026-11-21T11:59:59.999Z'), '2026-11-21T12:00:00.000Z');
});

test('manual never comes due', () => {
  assert.equal(nextTime('manual', 'UTC', new Date()), undefined);
});

test('whatever the grammar takes can be read, and does come', () => {
  for (const line of [
    '@hourly',
    '@Daily',
    '@weekly',
    '@monthly',
    '@every 90s',
    '5/10 * * * *',
    '0 0 * JAN,feb mon-fri',
    '0 0 * * 5-7',
    '0 0 * * 7',
    '*/15 0-6/2 1-7 * *',
    '0 3 31 2 1',
    '0 0 29 2 *',
    '59 23 31 12 *',
    '0,30 8-18 * * 1-5',
  ]) {
    const after = new Date('2026-11-21T08:51:00Z');
    const next = nextTime(schedule.parse(line), 'Europe/Vienna', after);
    assert.ok(next && next > after, line);
  }
});

test('sunday is 0 and 7, and a day of the month or a weekday suffices', () => {
  const from = '2026-11-21T12:00:00Z';
  assert.deepEqual(
    times('0 0 * * 7', 'UTC', from, '2026-11-30T00:00Z'),
    times('0 0 * * 0', 'UTC', from, '2026-11-30T00:00Z'),
  );
  assert.deepEqual(times('0 0 25 * 1', 'UTC', from, '2026-11-26T00:00Z'), ['2026-11-23 00:00', '2026-11-25 00:00']);
});

test('jitter is the same at every start, within its bounds, in whole seconds, and differs between stacks', () => {
  const stacks = Array.from({ length: 200 }, (_, i) => `stack-${i}`);
  const found = stacks.map((stack) => jitterOf(stack, 600_000));
  assert.deepEqual(
    stacks.map((stack) => jitterOf(stack, 600_000)),
    found,
  );
  assert.ok(found.every((ms) => ms >= 0 && ms < 600_000 && ms % 1000 === 0));
  assert.ok(new Set(found).size > 100);
  // A fixed value: another one would move every schedule at an update.
  assert.equal(jitterOf('shop', 600_000), 331_000);
  assert.equal(jitterOf('shop', 0), 0);
});
