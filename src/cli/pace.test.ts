import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPace, paceText } from './pace.ts';

describe('paceText', () => {
  const cases = [
    ['nothing to judge by yet', { ms: 600, seen: 88, plainBytes: 88, expectedBytes: 8_000_000 }, '88 B'],
    ['a few bytes', { ms: 20_000, seen: 88, plainBytes: 88, expectedBytes: 8_000_000 }, '88 B, 4.4 B/s'],
    [
      'too early',
      { ms: 2_000, seen: 50_000_000, plainBytes: 50_000_000, expectedBytes: 100_000_000 },
      '50 MB, 25 MB/s',
    ],
    [
      'enough seen',
      { ms: 10_000, seen: 50_000_000, plainBytes: 50_000_000, expectedBytes: 100_000_000 },
      '50 MB, 5 MB/s, about 10s left',
    ],
    ['no size expected', { ms: 10_000, seen: 50_000_000, plainBytes: 50_000_000 }, '50 MB, 5 MB/s'],
    [
      'more than was expected',
      { ms: 10_000, seen: 50_000_000, plainBytes: 50_000_000, expectedBytes: 40_000_000 },
      '50 MB, 5 MB/s',
    ],
    ['nothing comes', { ms: 10_000, seen: 0, plainBytes: 0, expectedBytes: 40_000_000 }, '0 B'],
  ] as const;
  for (const [name, pace, text] of cases) it(name, () => assert.equal(paceText(pace), text));
});

describe('createPace', () => {
  it('judges each step of each source by its own clock', () => {
    let ms = 0;
    const pace = createPace(() => ms);
    const at = (time: number, source: `${string}/${string}`, plainBytes: number) => {
      ms = time;
      return pace({ source, step: 'dump', plainBytes, expectedBytes: 100_000_000 });
    };
    assert.equal(at(0, 'db/postgres', 0), '0 B');
    assert.equal(at(10_000, 'db/postgres', 50_000_000), '50 MB, 5 MB/s, about 10s left');
    assert.equal(at(10_000, 'cache/redis', 20_000_000), '20 MB');
    assert.equal(at(20_000, 'cache/redis', 60_000_000), '60 MB, 4 MB/s, about 10s left');
    assert.equal(at(20_000, 'db/postgres', 1_000), '1 kB', 'its next artifact begins anew');
  });
});
