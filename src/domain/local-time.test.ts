import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { endOf, localTime, startOf } from './local-time.ts';

const usual = process.env.TZ;
afterEach(() => {
  if (usual === undefined) delete process.env.TZ;
  else process.env.TZ = usual;
});

for (const [zone, text, end] of [
  ['UTC', '2026-11-20', '2026-11-20T23:59:59.999Z'],
  ['Europe/Vienna', '2026-11-20', '2026-11-20T22:59:59.999Z'],
  ['Pacific/Kiritimati', '2026-11-20', '2026-11-20T09:59:59.999Z'],
  ['America/New_York', '2026-11-20', '2026-11-21T04:59:59.999Z'],
  // The day on which the clocks were set back lasts 25 hours.
  ['Europe/Vienna', '2026-10-25', '2026-10-25T22:59:59.999Z'],
  ['Europe/Vienna', '2026-11-20 03:00', '2026-11-20T02:00:59.999Z'],
  ['Europe/Vienna', '2026-11-20T03:00:07', '2026-11-20T02:00:07.999Z'],
  ['Europe/Vienna', '2026-11-20T03:00:07.123', '2026-11-20T02:00:07.123Z'],
  ['Europe/Vienna', '2026-11-20T03:00:07.123Z', '2026-11-20T03:00:07.123Z'],
  ['Europe/Vienna', '2026-11-20T03:00z', '2026-11-20T03:00:59.999Z'],
  ['Europe/Vienna', ' 2026-11-20 03:00+05:30 ', '2026-11-19T21:30:59.999Z'],
] as const) {
  test(`"${text}" in ${zone} lasts until ${end}`, () => {
    process.env.TZ = zone;
    assert.equal(endOf(text)?.toISOString(), end);
  });
}

for (const [zone, text, start] of [
  ['UTC', '2026-11-20', '2026-11-20T00:00:00.000Z'],
  ['Europe/Vienna', '2026-11-20', '2026-11-19T23:00:00.000Z'],
  ['America/New_York', '2026-11-20', '2026-11-20T05:00:00.000Z'],
  ['Europe/Vienna', '2026-11-20 03:00', '2026-11-20T02:00:00.000Z'],
  ['Europe/Vienna', '2026-11-20T03:00:07.123Z', '2026-11-20T03:00:07.123Z'],
] as const) {
  test(`"${text}" in ${zone} begins at ${start}`, () => {
    process.env.TZ = zone;
    assert.equal(startOf(text)?.toISOString(), start);
  });
}

test('what is shown of a time means that time when it is typed', () => {
  process.env.TZ = 'Asia/Kathmandu';
  const time = '2026-11-20T03:00:41.500Z';
  for (const shown of [localTime(time), localTime(time, 'seconds')]) {
    const end = endOf(shown);
    assert.ok(end && end >= new Date(time) && localTime(end.toISOString()) === localTime(time), shown);
  }
});

test('anything else is no time', () => {
  for (const text of [
    '',
    '5',
    'yesterday',
    '2026',
    '2026-02-31',
    '2026-13-01',
    '2026-11-20 25:00',
    '20.11.2026',
    '03:00',
  ])
    assert.equal(endOf(text), undefined, text);
});
