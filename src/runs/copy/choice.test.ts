import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import type { Destination } from '../context.ts';
import { type CopyAsk, chooseFarEnd, chooseToCopy } from './choice.ts';

const entry = (id: string, service = 'db') => ({ manifest: sampleManifest({ id, service }), destinations: ['local'] });
const backups = [
  entry('20261121-030000-newest'),
  entry('20261120-030000-prevxx'),
  entry('20261119-030000-cache2', 'cache'),
  entry('20261101-030000-agedxx'),
];
const problem = (key: string) => ({ destination: 'local', key, message: 'damaged' });
const problems = [problem(''), problem('shop/db/postgres/20261102-030000-torn22/manifest.json')];
const now = new Date('2026-11-21T12:00:00Z');
const choose = (ask: Omit<CopyAsk, 'to'>) => chooseToCopy({ backups, problems }, { ...ask, to: 'far' }, now);
const ids = (ask: Omit<CopyAsk, 'to'>) => choose(ask).backups.map(({ manifest }) => manifest.id.slice(-6));

test('an id is one backup, a service the newest of each of its sources', () => {
  assert.deepEqual(ids({ target: 'prevxx' }), ['prevxx']);
  assert.deepEqual(ids({ target: 'db' }), ['newest']);
  assert.deepEqual(ids({ target: 'shop/cache' }), ['cache2']);
});

test('--all is everything, the oldest first; --since leaves out what is older', () => {
  assert.deepEqual(ids({ all: true }), ['agedxx', 'cache2', 'prevxx', 'newest']);
  assert.deepEqual(ids({ all: true, target: 'db' }), ['agedxx', 'prevxx', 'newest']);
  assert.deepEqual(ids({ all: true, since: '7d' }), ['cache2', 'prevxx', 'newest']);
  assert.deepEqual(ids({ all: true, since: '33h' }), ['prevxx', 'newest']);
  assert.deepEqual(ids({ all: true, since: '2026-11-20 03:00Z' }), ['prevxx', 'newest']);
  assert.deepEqual(ids({ all: true, since: '2026-11-20 03:01Z' }), ['newest']);
});

test('what could not be read counts where it may be of what was asked for', () => {
  const keys = (ask: Omit<CopyAsk, 'to'>) => choose(ask).problems.length;
  assert.deepEqual([keys({ all: true }), keys({ all: true, since: '7d' }), keys({ target: 'db' })], [2, 1, 1]);
  assert.equal(keys({ target: 'newest' }), 0, 'it is the one that was named');
});

test('what means nothing, or nothing that is there, is refused with what does', () => {
  const refused: [Omit<CopyAsk, 'to'>, string, RegExp][] = [
    [{}, 'USAGE', /--all/],
    [{ target: 'db', since: '7d' }, 'USAGE', /--all/],
    [{ all: true, since: 'soon' }, 'USAGE', /neither a duration nor a point in time.*--since 7d/],
    [{ all: true, since: '60m' }, 'BACKUP_NOT_FOUND', /no backup since 2026-11-21.*lifeboat status/],
    [{ all: true, target: 'cahce' }, 'BACKUP_NOT_FOUND', /did you mean cache/],
    [{ target: 'cahce' }, 'BACKUP_NOT_FOUND', /did you mean cache/],
  ];
  for (const [ask, code, words] of refused)
    assert.throws(
      () => choose(ask),
      (error: Error & { code: string; hint: string }) =>
        error.code === code && words.test(`${error.message}; ${error.hint}`),
      JSON.stringify(ask),
    );
});

test('a destination is meant by its name, and one that is nearly called so is named', () => {
  const destinations = ['local', 'offsite'].map((name) => ({ name }) as Destination);
  assert.equal(chooseFarEnd(destinations, 'offsite').name, 'offsite');
  assert.throws(() => chooseFarEnd(destinations, 'ofsite'), { code: 'USAGE', hint: 'did you mean offsite?' });
  assert.throws(() => chooseFarEnd(destinations, 's3'), { code: 'USAGE', hint: 'there are: local, offsite' });
});
