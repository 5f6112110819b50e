import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Artifact, Counts } from '../../domain/manifest.ts';
import { compareStaged } from './compare.ts';
import type { RdbDatabase } from './rdb/walk.ts';

function artifact(...counts: Counts[]): Artifact {
  const sizes = { plainBytes: 1, storedBytes: 1, storedSha256: '' };
  return { name: 'dump', kind: 'rdb', file: 'dump.rdb', ...sizes, codecs: [], facts: {}, counts, byHand: '' };
}

function staged(database: Partial<RdbDatabase>, info: string, graphs = '', unknown?: string) {
  const whole: RdbDatabase = { keys: 10, expires: 0, withFieldExpiry: 0, modules: new Map(), ...database };
  const content = {
    ...{ version: 12, aux: new Map(), databases: new Map([[0, whole]]), moduleTypes: new Set<string>(), libraries: 1 },
    ...{ end: 1, unknown },
  };
  const functions = 'engines\nLUA\nlibraries_count\n1\nfunctions_count\n2';
  return { rdb: { content, bytes: 1, unsummed: false }, report: [info, functions, graphs] as const };
}

const loads = (loaded: number, expired: number, keys: number, expires = 0) =>
  `rdb_last_load_keys_loaded:${loaded}\nrdb_last_load_keys_expired:${expired}\ndb0:keys=${keys},expires=${expires},avg_ttl=0`;
const differs = (error: unknown) => isLifeboatError(error, 'RESTORE_FAILED');

describe('comparing the staged copy', () => {
  it('is content with all keys', () => {
    const { checks, leastKeys } = compareStaged(staged({}, loads(10, 0, 10)), artifact());
    assert.deepEqual(checks, ['db0: 10 keys as in the backup', '1 function library as in the backup']);
    assert.equal(leastKeys, 10);
  });

  it('refuses a copy with fewer or more', () => {
    assert.throws(() => compareStaged(staged({}, loads(9, 0, 9)), artifact()), differs);
    assert.throws(() => compareStaged(staged({}, loads(10, 0, 11)), artifact()), differs);
    assert.throws(() => compareStaged(staged({}, loads(8, 0, 10)), artifact()), differs);
    assert.throws(() => compareStaged(staged({}, 'db0:keys=9,expires=0'), artifact()), differs);
    assert.throws(() => compareStaged(staged({}, ''), artifact()), differs);
  });

  it('lets expire what expires, and nothing else', () => {
    const { checks } = compareStaged(staged({ expires: 4 }, loads(7, 3, 7, 1)), artifact());
    assert.match(checks[0] ?? '', /7 keys as in the backup, 3 expired meanwhile/);
    assert.equal(compareStaged(staged({ expires: 4 }, loads(7, 3, 7, 1)), artifact()).leastKeys, 6);
    assert.throws(() => compareStaged(staged({ expires: 2 }, loads(7, 3, 7)), artifact()), differs);
    compareStaged(staged({ withFieldExpiry: 1 }, loads(9, 0, 9)), artifact());
  });

  it('knows that parts of a big graph are keys in the file only', () => {
    const modules = new Map([
      ['graphdata', 1],
      ['graphmeta', 8],
    ]);
    const graphs = 'graph g\ncount(n)\n190\nCached execution: 0\ncount(e)\n95\nCached execution: 0\n';
    const told = artifact({ how: 'catalogue', objects: { 'nodes of graph g': 190, 'edges of graph g': 95 } });
    const { checks, warnings } = compareStaged(staged({ modules }, loads(10, 0, 2), graphs), told);
    assert.ok(checks.includes('1 graph as in the backup'));
    assert.deepEqual(warnings, []);
    assert.throws(() => compareStaged(staged({ modules }, loads(10, 0, 2), ''), told), differs);
    const other = artifact({ how: 'catalogue', objects: { 'nodes of graph g': 191, 'edges of graph g': 95 } });
    assert.match(compareStaged(staged({ modules }, loads(10, 0, 2), graphs), other).warnings[0] ?? '', /190 nodes/);
  });

  it('refuses bytes that are not those the manifest speaks of', () => {
    const told = artifact({ how: 'dump', objects: { 'keys of db0': 11 } });
    assert.throws(() => compareStaged(staged({}, loads(10, 0, 10)), told), differs);
  });

  it('says so when the format is too new to compare, but refuses an empty copy', () => {
    const told = artifact({ how: 'dump', objects: { keys: 10 } });
    const { checks } = compareStaged(staged({}, loads(10, 0, 10), '', 'type 27'), told);
    assert.match(checks[0] ?? '', /too new/);
    assert.throws(() => compareStaged(staged({}, loads(0, 0, 0), '', 'type 27'), told), differs);
  });
});
