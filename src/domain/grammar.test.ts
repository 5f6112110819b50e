import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LifeboatError } from './errors.ts';
import { bool, type Grammar, glob, integer, list, oneOf, quoted, text } from './grammar.ts';
import { duration, durationBetween, formatDuration, formatSize, size } from './quantity.ts';
import { everyMs, schedule } from './schedule.ts';

const s = 1000;
const h = 3600 * s;
const d = 24 * h;

const good: readonly (readonly [Grammar<unknown>, Readonly<Record<string, unknown>>])[] = [
  [
    bool,
    {
      true: true,
      TRUE: true,
      Yes: true,
      on: true,
      1: true,
      false: false,
      False: false,
      NO: false,
      off: false,
      0: false,
    },
  ],
  [bool, { ' true ': true, 'true\n': true }],
  [integer(), { 0: 0, 7: 7, '007': 7, 9007199254740991: Number.MAX_SAFE_INTEGER }],
  [integer(-5, 5), { '-5': -5, 5: 5 }],
  [oneOf(['zstd', 'gzip']), { zstd: 'zstd', GZIP: 'gzip' }],
  [
    duration,
    { 0: 0, '0s': 0, '90s': 90 * s, '15m': 900 * s, '26h': 26 * h, '7d': 7 * d, '2w': 14 * d, '1d12h': 36 * h },
  ],
  [duration, { '1w2d3h4m5s': 9 * d + 3 * h + 245 * s, '3650d': 3650 * d }],
  [
    size,
    {
      0: 0,
      '12B': 12,
      '500MB': 5e8,
      '500MiB': 500 * 2 ** 20,
      '1.5GB': 1.5e9,
      '1.1GB': 1.1e9,
      '500 MB': 5e8,
      '16TiB': 16 * 2 ** 40,
    },
  ],
  [size, { '1kb': 1000, '1KB': 1000, '1kib': 1024, '0.5KiB': 512 }],
  [
    list(text),
    { a: ['a'], 'a, b': ['a', 'b'], 'a\nb\n': ['a', 'b'], 'a,,b,': ['a', 'b'], '["a,b", "c", 3]': ['a,b', 'c', '3'] },
  ],
  [list(text), { 'a, a': ['a'], '["{a,b}.db"]': ['{a,b}.db'] }],
  [
    schedule,
    { '@hourly': '@hourly', '@Daily': '@daily', '@weekly': '@weekly', '@monthly': '@monthly', manual: 'manual' },
  ],
  [
    schedule,
    {
      '@every 6h': '@every 6h',
      '@every   90m': '@every 1h30m',
      '0 3 * * *': '0 3 * * *',
      ' */15  *\t* * * ': '*/15 * * * *',
    },
  ],
  [
    schedule,
    {
      '0 2 29 2 *': '0 2 29 2 *',
      '30 1-5/2 1,15 jan-MAR Mon-fri': '30 1-5/2 1,15 jan-mar mon-fri',
      '0 0 * * 7': '0 0 * * 7',
    },
  ],
  [schedule, { '0 0 31 2 1': '0 0 31 2 1', '0 0 30 1,2 *': '0 0 30 1,2 *', '5/10 * * * *': '5/10 * * * *' }],
  [
    glob,
    {
      'cache/**': 'cache/**',
      '*.tmp': '*.tmp',
      '/app/data/*.sqlite3': '/app/data/*.sqlite3',
      '!keep.me': '!keep.me',
      '[ab]c': '[ab]c',
    },
  ],
  [glob, { '{a,b}.db': '{a,b}.db', 'a..b': 'a..b', '\\{x': '\\{x' }],
];

const bad: readonly (readonly [Grammar<unknown>, readonly string[]])[] = [
  [bool, ['', ' ', 'maybe', 'ja', 'truee', '2', '"true"', 'true,false', 'nul\0l']],
  [integer(), ['', '-1', '1.5', '1e3', '0x10', '1_000', '٣', '99999999999999999', '7d', '+1']],
  [integer(1, 64), ['0', '65']],
  [oneOf(['zstd', 'gzip']), ['', 'zst', 'zstd,gzip']],
  [
    duration,
    ['', '7dd', '7', '1.5h', '-1h', '12h1d', '1h1h', '1h 30m', '10M', '1y', '7 d', 'd', '99999999d', '٣h', '1d12'],
  ],
  [durationBetween(60 * s, h), ['59s', '61m', '0']],
  [size, ['', '500', '500M', '1.0001B', '0.5B', 'MB', '-1MB', '1e3MB', '9999999999TB', '1 000MB', '5MBit']],
  [list(text), ['', ',', '\n', '[', '[]', '["a"', '{"a":1}]'.slice(0, 0), '[{"a":1}]', '[null]', '[["a"]]']],
  [list(oneOf(['a', 'b'])), ['a, c']],
  [
    schedule,
    [
      '',
      '@yearly',
      '@every',
      '@every 5s',
      '@every 7dd',
      '@every 1h 2h',
      'daily',
      '* * * *',
      '0 0 3 * * *',
      '60 * * * *',
    ],
  ],
  [
    schedule,
    ['* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 13 *', '* * * foo *', '* * * * 8', '*/0 * * * *', '*/90 * * * *'],
  ],
  [
    schedule,
    [
      '5-1 * * * *',
      '0 0 31 2 *',
      '0 0 31 4,6,9,11 *',
      '*-5 * * * *',
      '1,,2 * * * *',
      '? * * * *',
      '-1 * * * *',
      '0 0 L * *',
    ],
  ],
  [glob, ['', '../x', 'a/../b', '{a', 'b}', '[a', 'a\nb', 'a\0b']],
  [text, ['', '\u0007', 'a\u001b[31m', 'x\u0085y', 'x'.repeat(70_000)]],
];

describe('the value grammar', () => {
  for (const [grammar, cases] of good) {
    for (const [written, value] of Object.entries(cases)) {
      it(`reads ${JSON.stringify(written)} as ${grammar.name}`, () => assert.deepEqual(grammar.parse(written), value));
    }
  }

  for (const [grammar, cases] of bad) {
    for (const written of cases) {
      it(`refuses ${JSON.stringify(written.slice(0, 40))} as ${grammar.name}`, () => {
        assert.throws(
          () => grammar.parse(written),
          (error) => error instanceof LifeboatError && error.code === 'CONFIG_INVALID',
        );
      });
    }
  }

  it('says what was found, what is allowed and an example', () => {
    const message = messageOf(() => duration.parse('7dd'));
    assert.match(message, /^"7dd" is not a valid duration; allowed: whole numbers with the units w, d, h, m, s/);
    assert.match(message, /for example 26h or 1d12h$/);
  });

  const reasons: readonly (readonly [Grammar<unknown>, string, RegExp])[] = [
    [duration, '90', /the unit is missing/],
    [duration, '10M', /units are lower case/],
    [durationBetween(1000), '0s', /less than 1s/],
    [size, '500M', /500MB or 500MiB\?/],
    [size, '500', /the unit is missing/],
    [schedule, '0 0 3 * * *', /six fields: seconds are not supported/],
    [schedule, '0 0 31 2 *', /no such day ever comes/],
    [schedule, '0 25 * * *', /hour "25" is not within 0-23/],
    [schedule, '*/90 * * * *', /impossible step/],
    [schedule, '@every 5s', /less than 1m/],
    [schedule, '"@daily"', /the quotes are part of the value/],
    [glob, '{a', /write patterns with commas as a JSON array/],
    [bool, '', /it is empty/],
    [bool, 'a\0', /control characters/],
    [list(oneOf(['a', 'b'])), 'a, c', /"c" is not a valid word/],
  ];
  for (const [grammar, written, reason] of reasons) {
    it(`explains what is wrong with ${JSON.stringify(written)}`, () => {
      assert.match(
        messageOf(() => grammar.parse(written)),
        reason,
      );
    });
  }

  it('shows a hostile value on one short line without control or direction characters', () => {
    const shown = quoted(`a\nb\u001b[2J\u202e${'x'.repeat(1_000_000)}`);
    assert.match(shown, /^"a\\nb\\u001b\[2J\\u202ex+…"$/);
    assert.ok(shown.length < 100);
    assert.ok(messageOf(() => bool.parse('y'.repeat(1_000_000))).length < 400);
  });

  it('answers to 64 KiB of nastiness in no time', () => {
    const started = performance.now();
    for (const grammar of [bool, duration, size, schedule, glob, list(glob)]) {
      for (const piece of ['1', '1d', ' ', '*,', '[', '{', '-', '\\', '1.']) {
        try {
          grammar.parse(piece.repeat(65_000 / piece.length));
        } catch (error) {
          assert.ok(error instanceof LifeboatError);
        }
      }
    }
    assert.ok(performance.now() - started < 20_000);
  });
});

describe('quantities', () => {
  it('come back from text as they went into it', () => {
    for (let i = 0; i < 2000; i++) {
      const ms = Math.floor(Math.random() * 3650 * 86_400) * s;
      assert.equal(duration.parse(formatDuration(ms)), ms);
      const bytes = Math.floor(Math.random() * 2 ** Math.floor(Math.random() * 53));
      assert.equal(size.parse(formatSize(bytes)), bytes);
    }
    for (const [, factor] of [
      ['B', 1],
      ['kB', 1e3],
      ['MiB', 2 ** 20],
      ['TiB', 2 ** 40],
    ] as const) {
      for (const count of [1, 7, 500, 1024]) assert.equal(size.parse(formatSize(count * factor)), count * factor);
    }
  });

  it('are written as people write them', () => {
    assert.deepEqual([0, 90 * s, 36 * h, 14 * d, 1500].map(formatDuration), ['0s', '1m30s', '1d12h', '14d', '2s']);
    assert.deepEqual([0, 1, 5e8, 2 ** 29, 1500, 1536].map(formatSize), [
      '0B',
      '1B',
      '500MB',
      '512MiB',
      '1500B',
      '1536B',
    ]);
  });

  it('of an @every schedule can be asked for', () => {
    assert.deepEqual(['@every 90m', '@every 1d', '@daily', '0 3 * * *', 'manual'].map(everyMs), [
      5400 * s,
      d,
      ...Array(3),
    ]);
  });

  it('are bounded', () => {
    assert.equal(duration.parse('3650d'), 3650 * d);
    assert.match(
      messageOf(() => duration.parse('3650d1s')),
      /more than 3650d/,
    );
    assert.match(
      messageOf(() => schedule.parse('1')),
      /1 field instead of five/,
    );
    assert.match(
      messageOf(() => schedule.parse('1 2')),
      /2 fields instead of five/,
    );
  });

  it('of a schedule are kept when it is read twice', () => {
    for (const written of ['@every 90m', '@every 2w', '0  3 * * MON', '@DAILY']) {
      assert.equal(schedule.parse(schedule.parse(written)), schedule.parse(written));
    }
  });
});

function messageOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof LifeboatError);
    return error.message;
  }
  assert.fail('nothing was thrown');
}
