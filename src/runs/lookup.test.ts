import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import type { RunContext } from './context.ts';
import { byTime, listBackups } from './lookup.ts';

const usual = process.env.TZ;
before(() => {
  process.env.TZ = 'Europe/Vienna';
});
after(() => {
  if (usual === undefined) delete process.env.TZ;
  else process.env.TZ = usual;
});

const source = { stack: 'shop', service: 'db', source: 'postgres', name: 'db/postgres' } as const;
/** 00:30 and 23:30 of the 20th, and 00:30 of the 21st, in Vienna. */
const backups = ['20261120-233000-cccccc', '20261120-223000-bbbbbb', '20261119-233000-aaaaaa'].map((id) => ({
  manifest: sampleManifest({ id }),
  destinations: ['local'],
}));
const at = (text: string) => byTime(backups, source, text).manifest.id.slice(-6);

test('a day means its newest backup, in the time zone of the stack', () => {
  assert.equal(at('2026-11-20'), 'bbbbbb');
  assert.equal(at('2026-11-21'), 'cccccc');
  assert.equal(at('2026-12-24'), 'cccccc');
  assert.equal(at('2026-11-20 12:00'), 'aaaaaa');
  assert.equal(at('2026-11-20 00:30'), 'aaaaaa');
  assert.throws(() => at('2026-11-19'), { code: 'BACKUP_NOT_FOUND', hint: /the oldest is/ });
  assert.throws(() => at('tomorrow'), { code: 'USAGE' });
});

test('the latest is never a safety backup', () => {
  const safety = {
    manifest: sampleManifest({ id: '20261122-000000-dddddd', trigger: 'safety' }),
    destinations: ['local'],
  };
  assert.equal(byTime([safety, ...backups], source, 'latest').manifest.id.slice(-6), 'cccccc');
});

test('where only another stack has backups of the source, they are named', () => {
  const elsewhere = { ...source, stack: 'new' };
  assert.throws(() => byTime(backups, elsewhere, 'latest'), {
    code: 'BACKUP_NOT_FOUND',
    hint: 'stack shop has some: name one by its id (cccccc), or set LIFEBOAT_NAME=shop on the sidecar',
  });
  assert.throws(() => byTime([], elsewhere, 'latest'), { hint: 'lifeboat backup db' });
});

test('a target that nothing was ever kept of is named, with what there is', async () => {
  const never = new AbortController().signal;
  const context = (...found: typeof backups) => {
    const catalog = { list: async () => ({ manifests: found.map(({ manifest }) => manifest), problems: [] }) };
    return { destinations: async () => [{ name: 'local', catalog }] } as unknown as RunContext;
  };
  assert.equal((await listBackups(context(...backups), { target: 'db' }, never)).backups.length, 3);
  const error = { code: 'BACKUP_NOT_FOUND', message: 'there is no backup of app' };
  const hint = 'there are backups of: db/postgres';
  await assert.rejects(listBackups(context(...backups), { target: 'app' }, never), { ...error, hint });
  assert.deepEqual((await listBackups(context(), { target: 'app' }, never)).backups, [], 'before the first backup');
});
