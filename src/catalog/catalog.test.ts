import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keysOf } from '../../test/contracts/store.ts';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { backupPrefix } from '../domain/naming.ts';
import { createMemoryStore } from '../stores/memory.ts';
import type { Store } from '../stores/store.ts';
import { createCatalog } from './catalog.ts';
import { encodeManifest, manifestHash } from './manifest-codec.ts';

const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);

async function publish(store: Store, ...backups: Partial<Manifest>[]): Promise<void> {
  for (const fields of backups) {
    const manifest = sampleManifest(fields);
    const draft = await store.draft(backupPrefix(manifest, manifest.id), never);
    await draft.put('shop.dump.zst', text('x'), {}, never);
    await draft.publish(encodeManifest(manifest), never);
  }
}

async function twoStacks(): Promise<Store> {
  const store = createMemoryStore();
  await publish(
    store,
    { id: '20261119-030000-aaaaaa' },
    { id: '20261121-030000-cccccc' },
    { id: '20261120-030000-bbbbbb' },
    { id: '20261121-040000-dddddd', service: 'app', source: 'files' },
    { id: '20261118-030000-eeeeee', stack: 'my blog/2', service: 'db', source: 'mysql' },
  );
  return store;
}

const ids = (manifests: readonly Manifest[]) => manifests.map(({ id }) => id.slice(-6));

test('lists newest first, all or what matches', async () => {
  const catalog = createCatalog(await twoStacks());
  const list = async (query: Parameters<typeof catalog.list>[0]) => ids((await catalog.list(query, never)).manifests);
  assert.deepEqual(await list({}), ['dddddd', 'cccccc', 'bbbbbb', 'aaaaaa', 'eeeeee']);
  assert.deepEqual(await list({ stack: 'shop' }), ['dddddd', 'cccccc', 'bbbbbb', 'aaaaaa']);
  assert.deepEqual(await list({ service: 'db' }), ['cccccc', 'bbbbbb', 'aaaaaa', 'eeeeee']);
  assert.deepEqual(await list({ stack: 'my blog/2', service: 'db', source: 'mysql' }), ['eeeeee']);
  assert.deepEqual(await list({ stack: 'no such' }), []);
});

test('a damaged manifest is a problem beside the others, never fatal', async () => {
  const store = await twoStacks();
  const folder = 'shop/db/postgres';
  await store.put(`${folder}/20261121-030000-cccccc/manifest.json`, text('{"format":1'), {}, never);
  await publish(store, { id: '20261122-030000-ffffff' });
  const moved = encodeManifest(sampleManifest({ id: '20261122-030000-ffffff', service: 'other' }));
  await store.put(`${folder}/20261122-030000-ffffff/manifest.json`, moved, {}, never);
  const catalog = createCatalog(store);
  const { manifests, problems } = await catalog.list({ service: 'db', stack: 'shop' }, never);
  assert.deepEqual(ids(manifests), ['bbbbbb', 'aaaaaa']);
  assert.deepEqual(
    problems.map(({ key, error }) => [key.slice(-20, -14), error.code]),
    [
      ['ffffff', 'ARTIFACT_CORRUPT'],
      ['cccccc', 'ARTIFACT_CORRUPT'],
    ],
  );
  assert.match(problems[0]?.error.message ?? '', /belongs to shop\/other/);
  assert.equal(
    (await catalog.latest({ stack: 'shop', service: 'db', source: 'postgres' }, never))?.id.slice(-6),
    'bbbbbb',
  );
  await assert.rejects(catalog.find('cccccc', never), { code: 'ARTIFACT_CORRUPT' });
});

test('folders that are no backups are passed over', async () => {
  const store = await twoStacks();
  for (const key of [
    'lifeboat.json',
    '.restic/shop/db/20261121-030000-aaaaaa/manifest.json',
    '@eaDir/a/b/20261121-030000-aaaaaa/manifest.json',
    'shop/db/postgres/20261123-030000-aaaaaa/shop.dump.zst',
    'shop/db/postgres/not-an-id/manifest.json',
    'shop/%/x/20261121-030000-aaaaaa/manifest.json',
  ]) {
    await store.put(key, text('{}'), {}, never);
  }
  const { manifests, problems } = await createCatalog(store).list({}, never);
  assert.equal(manifests.length, 5);
  assert.deepEqual(problems, []);
});

test('finds a backup by its whole or its short id', async () => {
  const store = await twoStacks();
  const catalog = createCatalog(store);
  assert.equal((await catalog.find('20261120-030000-bbbbbb', never)).id, '20261120-030000-bbbbbb');
  assert.equal((await catalog.find(' EEEEEE ', never)).source, 'mysql');
  await assert.rejects(catalog.find('zzzzzz', never), { code: 'BACKUP_NOT_FOUND', hint: /list/ });
  await assert.rejects(catalog.find('', never), { code: 'BACKUP_NOT_FOUND' });
  await publish(store, { id: '20261101-000000-bbbbbb', service: 'cache', source: 'redis' });
  await assert.rejects(catalog.find('bbbbbb', never), {
    code: 'USAGE',
    message:
      /2 backups are called bbbbbb: .*20261120-030000-bbbbbb \(shop db\/postgres\).*20261101-000000-bbbbbb \(shop cache/,
  });
  assert.equal((await catalog.find('20261101-000000-bbbbbb', never)).service, 'cache');
});

test('knows the newest of one source and of each', async () => {
  const catalog = createCatalog(await twoStacks());
  const address = { stack: 'shop', service: 'db', source: 'postgres' };
  assert.equal((await catalog.latest(address, never))?.id, '20261121-030000-cccccc');
  assert.equal(await catalog.latest({ ...address, source: 'none' }, never), undefined);
  assert.deepEqual(ids(await catalog.newest({}, never)).toSorted(), ['cccccc', 'dddddd', 'eeeeee']);
  assert.deepEqual(ids(await catalog.newest({ stack: 'shop' }, never)).toSorted(), ['cccccc', 'dddddd']);
});

test('fault 32: names the hash of the manifest before, over the bytes as they lie there', async () => {
  const store = await twoStacks();
  const address = { stack: 'shop', service: 'db', source: 'postgres' };
  const head = await createCatalog(store).chainHead(address, never);
  assert.equal(head, manifestHash(encodeManifest(sampleManifest({ id: '20261121-030000-cccccc' }))));
  assert.equal(await createCatalog(createMemoryStore()).chainHead(address, never), undefined);
});

test('fault 63: a destination that fails while it is listed or read rejects, it is never an empty history', async () => {
  const memory = await twoStacks();
  const broken = new LifeboatError('STORE_UNAVAILABLE', 'timeout', { retryable: true });
  for (const store of [
    { ...memory, folders: () => Promise.reject(broken) },
    { ...memory, get: () => Promise.reject(broken) },
  ]) {
    await assert.rejects(createCatalog(store).list({}, never), broken);
    await assert.rejects(createCatalog(store).find('aaaaaa', never), broken);
  }
});

test('reads manifests in parallel, but not all at once', async () => {
  const memory = createMemoryStore();
  await publish(memory, ...Array.from({ length: 40 }, (_, i) => ({ id: `20261121-0300${10 + i}-aaaaaa` })));
  let open = 0;
  let most = 0;
  const store: Store = {
    ...memory,
    async get(...args) {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 2));
      open -= 1;
      return memory.get(...args);
    },
  };
  assert.equal((await createCatalog(store).list({}, never)).manifests.length, 40);
  assert.ok(most > 1 && most <= 8, `${most} at once`);
});

test('forgets the manifest first, so that a removal cut short leaves no backup', async () => {
  const memory = createMemoryStore();
  await publish(memory, { id: '20261121-030000-cccccc' }, { id: '20261120-030000-bbbbbb' });
  const removed: string[] = [];
  const store: Store = {
    ...memory,
    async remove(key, signal) {
      removed.push(key.replace(/^.*\//, ''));
      if (removed.length === 2) throw new LifeboatError('STORE_UNAVAILABLE', 'killed');
      return memory.remove(key, signal);
    },
  };
  const manifest = sampleManifest({ id: '20261121-030000-cccccc' });
  await assert.rejects(createCatalog(store).forget(manifest, never), { message: 'killed' });
  assert.deepEqual(removed, ['manifest.json', 'shop.dump.zst']);
  assert.deepEqual(ids((await createCatalog(memory).list({}, never)).manifests), ['bbbbbb']);
  await createCatalog(memory).forget(manifest, never);
  assert.equal((await keysOf(memory)).length, 2);
});

test('a file that is too large for a manifest is not read into memory', async () => {
  const store = createMemoryStore();
  await store.put('shop/db/postgres/20261121-030000-cccccc/manifest.json', Buffer.alloc(17 * 2 ** 20, ' '), {}, never);
  const { problems } = await createCatalog(store).list({}, never);
  assert.match(problems[0]?.error.message ?? '', /too large/);
});

test('what a verification found is kept beside the manifest, the newest counts, and it goes with the backup', async () => {
  const store = await twoStacks();
  const catalog = createCatalog(store);
  const manifest = sampleManifest({ id: '20261121-030000-cccccc' });
  assert.equal(await catalog.verification(manifest, never), undefined);
  const found = (at: string, result: 'ok' | 'damaged') => ({
    format: 1 as const,
    type: 'verified' as const,
    at,
    run: 'r',
    lifeboat: '1',
    level: 'checksum' as const,
    result,
    findings: [],
  });
  await catalog.annotate(manifest, found('2026-11-22T00:00:00.100Z', 'damaged'), never);
  await catalog.annotate(manifest, found('2026-11-22T00:00:00.900Z', 'ok'), never);
  await catalog.annotate(manifest, found('2026-11-21T00:00:00.000Z', 'damaged'), never);
  assert.equal((await catalog.verification(manifest, never))?.at, '2026-11-22T00:00:00.900Z');
  // What a newer Lifeboat wrote, or a cut one, does not hide what is known.
  const folder = `${backupPrefix(manifest, manifest.id)}/events`;
  await store.put(`${folder}/20261123-000000-aaaaaa-verified.json`, text('{"format": 2}'), {}, never);
  await store.put(`${folder}/20261124-000000-aaaaaa-verified.json`, text('{"form'), {}, never);
  assert.equal((await catalog.verification(manifest, never))?.result, 'ok');
  assert.deepEqual(ids((await catalog.list({ stack: 'shop', service: 'db' }, never)).manifests), [
    'cccccc',
    'bbbbbb',
    'aaaaaa',
  ]);
  await catalog.forget(manifest, never);
  assert.deepEqual(await keysOf(store, folder), []);
});
