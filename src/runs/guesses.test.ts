import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Survey } from '../engines/engine.ts';
import { createGuessChecker } from './guesses.ts';
import type { Source } from './source.ts';

const source = (service: string, isGuess: boolean) =>
  ({
    name: `${service}/sqlite`,
    stack: 's',
    service,
    source: 'sqlite',
    isGuess,
    container: { id: service, startedAt: 't' },
  }) as unknown as Source;
const survey = (items: number, left: Survey['left'] = []) =>
  ({ items: Array.from({ length: items }, () => ({ name: 'a', kind: 'file' })), left }) as unknown as Survey;
const now = new Date('2026-11-21T00:00:00Z');

describe('sources that are only guessed', () => {
  it('are dropped when there is nothing, with the reason; asked-for ones stay', async () => {
    const checker = createGuessChecker(async () => survey(0, [{ name: 'app', why: 'no file' }]));
    const { sources, uncovered } = await checker.check(
      { sources: [source('app', true), source('web', false)], uncovered: [] },
      now,
    );
    assert.deepEqual(
      sources.map(({ service }) => service),
      ['web'],
    );
    assert.deepEqual(uncovered, [{ stack: 's', service: 'app', what: 'sqlite', why: 'app: no file' }]);
  });

  it('stay when looking fails: their backup says why', async () => {
    const checker = createGuessChecker(() => Promise.reject(new Error('no shell')));
    assert.equal((await checker.check({ sources: [source('app', true)], uncovered: [] }, now)).sources.length, 1);
  });

  it('are looked at again after a while, and not before', async () => {
    let looks = 0;
    const checker = createGuessChecker(async () => {
      looks += 1;
      return survey(looks > 1 ? 1 : 0);
    });
    const check = (ms: number) =>
      checker.check({ sources: [source('app', true)], uncovered: [] }, new Date(now.getTime() + ms));
    assert.equal((await check(0)).sources.length, 0);
    assert.equal((await check(1_000)).sources.length, 0);
    assert.equal((await check(10 * 60_000)).sources.length, 1);
    assert.equal(looks, 2);
  });

  it('are looked at anew when a person asks: the app has made its file since the sidecar began', async () => {
    let items = 0;
    const checker = createGuessChecker(async () => survey(items));
    const check = (look?: 'anew') => checker.check({ sources: [source('app', true)], uncovered: [] }, now, look);
    assert.equal((await check()).sources.length, 0);
    items = 1;
    assert.equal((await check()).sources.length, 0);
    assert.equal((await check('anew')).sources.length, 1);
    assert.equal((await check()).sources.length, 1, 'and that is remembered');
  });
});
