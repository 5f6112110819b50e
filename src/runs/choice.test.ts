import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import type { Manifest } from '../domain/manifest.ts';
import { chooseBackups } from './choice.ts';

const entry = (id: string, fields: Partial<Manifest> = {}) => ({
  manifest: sampleManifest({ id, ...fields }),
  destinations: ['local'],
});
const newest = entry('20261121-030000-k3f9a2');
const safety = entry('20261122-030000-safety', { trigger: 'safety' });
const older = entry('20261120-030000-abcdef');
const users = entry('20261119-030000-users2', { source: 'sqlite', service: 'db' });
const named = entry('20261118-030000-named2', { service: 'backup', source: 'redis' });
const onlySafety = entry('20261118-030000-safe22', { service: 'gone', trigger: 'safety' });
const all = [safety, newest, older, users, named, onlySafety];
const ids = (...ask: [string?, string?]) =>
  chooseBackups(all, ask[0], ask[1]).map(({ manifest }) => manifest.id.slice(-6));

test('nothing named: the newest of every source, never one that somebody wanted to get away from', () => {
  assert.deepEqual(ids(), ['k3f9a2', 'users2', 'named2']);
});

test('a service means all its sources, a source itself, an id itself', () => {
  assert.deepEqual(ids('db'), ['k3f9a2', 'users2']);
  assert.deepEqual(ids('db/postgres'), ['k3f9a2']);
  assert.deepEqual(ids('abcdef'), ['abcdef']);
  assert.deepEqual(ids('20261122-030000-safety'), ['safety']);
});

test('a service that is called like an id is a service', () => {
  assert.deepEqual(ids('backup'), ['named2']);
});

test('--at chooses among the backups of a source, by time or id', () => {
  assert.deepEqual(ids('db/postgres', '2026-11-20'), ['abcdef']);
  assert.deepEqual(ids('db', 'abcdef'), ['abcdef']);
  assert.throws(() => ids('abcdef', '2026-11-20'), { code: 'USAGE' });
});

test('what is not there is told of, with what is meant', () => {
  assert.throws(() => ids('bd'), { code: 'BACKUP_NOT_FOUND', hint: 'did you mean db?' });
  assert.throws(() => ids('zzzzzz'), { code: 'BACKUP_NOT_FOUND' });
  assert.throws(() => chooseBackups([], undefined, undefined), { code: 'BACKUP_NOT_FOUND', hint: 'lifeboat backup' });
});
