import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { damerauLevenshtein, nearest } from './nearest.ts';

describe('did you mean', () => {
  const keys = ['schedule', 'stop.timeout', 'timeout', 'to', 'tags', 'codec', 'codec.level', 'enable'];
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['shedule', 'schedule'],
    ['schedlue', 'schedule'],
    ['scheduel', 'schedule'],
    ['sschedulee', 'schedule'],
    ['Schedule', 'schedule'],
    ['timeuot', 'timeout'],
    ['tag', 'tags'],
    ['ot', 'to'],
    ['ui', undefined],
    ['x', undefined],
    ['', undefined],
    ['shdl', undefined],
    ['codeclevel', 'codec.level'],
    ['retention', undefined],
    ['x'.repeat(1_000_000), undefined],
    ['__proto__', undefined],
  ];
  for (const [found, meant] of cases) {
    it(`for ${found.slice(0, 20) || 'nothing'} is ${meant ?? 'silence'}`, () =>
      assert.equal(nearest(found, keys), meant));
  }

  it('takes the nearest of several', () => assert.equal(nearest('codecs', ['code', 'codec', 'codex']), 'codec'));

  it('counts letters wrong, missing, too many or swapped', () => {
    const distances: readonly (readonly [string, string, number])[] = [
      ['', '', 0],
      ['', 'abc', 3],
      ['abc', 'abc', 0],
      ['abc', 'abd', 1],
      ['abc', 'ab', 1],
      ['abc', 'abcd', 1],
      ['abcd', 'abdc', 1],
      ['abcdef', 'badcfe', 3],
      ['ca', 'abc', 3],
      ['kitten', 'sitting', 3],
    ];
    for (const [a, b, distance] of distances) {
      assert.equal(damerauLevenshtein(a, b), distance, `${a} ${b}`);
      assert.equal(damerauLevenshtein(b, a), distance, `${b} ${a}`);
    }
  });
});
