import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { keysOf } from '../../../test/contracts/store.ts';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { createCatalog } from '../../catalog/catalog.ts';
import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import { createMemoryStore } from '../../stores/memory.ts';
import type { Draft, Store } from '../../stores/store.ts';
import type { Destination, RunContext } from '../context.ts';
import { createRunControl } from '../control/control.ts';
import { runCopy } from './copy-run.ts';

const never = new AbortController().signal;
const files = { 'a.dump': 'all the rows of a', 'b.dump': 'all the rows of b' };
const ids = ['20261119-030000-aaaaaa', '20261120-030000-bbbbbb', '20261121-030000-cccccc'];

function manifestOf(id: string): Manifest {
  const [sample] = sampleManifest().artifacts;
  const artifacts = Object.entries(files).map(([file, content]) => {
    const storedSha256 = createHash('sha256').update(content).digest('hex');
    const sizes = { plainBytes: content.length, storedBytes: content.length, storedSha256 };
    return { ...(sample as Artifact), ...sizes, file, name: file, codecs: [] };
  });
  return sampleManifest({ id, artifacts });
}

function destination(name: string, store = createMemoryStore()) {
  const holds = { count: 0 };
  const hold = async () => {
    holds.count += 1;
    return { [Symbol.asyncDispose]: async () => {} };
  };
  return { name, store, catalog: createCatalog(store), isLocal: false, hold, holds };
}

async function fill({ store }: Destination, id: string, content: Readonly<Record<string, string>> = files) {
  const manifest = manifestOf(id);
  const draft = await store.draft(backupPrefix(manifest, id), never);
  for (const [file, text] of Object.entries(content)) await draft.put(file, Buffer.from(text), {}, never);
  await draft.publish(encodeManifest(manifest), never);
}

/** The same store whose drafts do as they are told before each put. */
function meddling(store: Store, before: (name: string) => Promise<void>): Store {
  const meddled = (draft: Draft): Draft => ({
    ...draft,
    put: async (name, ...rest) => {
      await before(name);
      return draft.put(name, ...rest);
    },
  });
  return { ...store, draft: async (...ask) => meddled(await store.draft(...ask)) };
}

function world(...destinations: readonly Destination[]) {
  const events: RunEvent[] = [];
  const context = {
    destinations: async () => destinations,
    emit: (event: RunEvent) => events.push(event),
    now: () => new Date('2026-11-21T12:00:00Z'),
  } as unknown as RunContext;
  const ask = { all: true, to: 'far', run: '20261121-120000-run222' };
  return {
    events,
    warnings: () => events.flatMap((event) => (event.type === 'warning' ? [event.message] : [])),
    copy: (signal = never) => runCopy(context, createRunControl(2), ask, signal),
  };
}

const shortly = (found: readonly string[]) => found.map((id) => id.slice(-6));
const manifests = async ({ catalog }: Destination) => (await catalog.list({}, never)).manifests.map(({ id }) => id);

test('copies the oldest first, byte by byte, and nothing twice; each names the one before it there', async () => {
  const [near, far] = [destination('near'), destination('far')];
  for (const id of ids.slice(0, 2)) await fill(near, id);
  const { copy, events } = world(near, far);
  const first = await copy();
  assert.equal(first.result, 'ok');
  assert.deepEqual(
    first.backups.map(({ backup, result, copied }) => [backup, result, copied?.sentBytes, copied?.foundBytes]),
    ids.slice(0, 2).map((id) => [id, 'ok', 34, 0]),
  );
  assert.deepEqual(await manifests(far), ids.slice(0, 2).toReversed());
  const [second, oldest] = (await far.catalog.list({}, never)).manifests;
  assert.ok(second?.previous && !oldest?.previous);
  assert.ok((await keysOf(far.store)).includes('RECOVERY.md'));
  const [begun] = events;
  assert.ok(begun?.type === 'run.started' && begun.trigger === 'copy');
  await fill(near, ids[2] ?? '');
  const again = await copy();
  assert.deepEqual(
    [shortly(again.backups.map(({ backup = '' }) => backup)), shortly(again.there)],
    [['cccccc'], ['aaaaaa', 'bbbbbb']],
  );
  const holds = far.holds.count;
  assert.deepEqual((await copy()).backups, []);
  assert.equal(far.holds.count, holds, 'nothing is locked where nothing is written');
});

test('what is cut leaves no backup, and what is there by then is not sent again', async () => {
  const near = destination('near');
  await fill(near, ids[0] ?? '');
  const cut = new AbortController();
  const store = createMemoryStore();
  const puts: string[] = [];
  const far = destination('far');
  const slow = meddling(store, async (name) => {
    puts.push(name);
    if (name === 'b.dump' && !cut.signal.aborted) cut.abort(new LifeboatError('CANCELLED', 'the lid was closed'));
  });
  const there = { ...far, store: slow, catalog: createCatalog(store) };
  const { copy, events } = world(near, there);
  await assert.rejects(copy(cut.signal), { code: 'CANCELLED' });
  assert.ok(events.some((event) => event.type === 'run.finished' && event.result === 'cancelled'));
  assert.deepEqual(await keysOf(store, 'shop/'), []);
  const report = await copy();
  assert.deepEqual(puts, ['a.dump', 'b.dump', 'b.dump'], 'the first artifact was sent once');
  assert.deepEqual([report.backups[0]?.copied?.sentBytes, report.backups[0]?.copied?.foundBytes], [17, 17]);
  assert.deepEqual(await manifests(there), [ids[0]]);
});

test('what an earlier attempt left damaged is sent anew', async () => {
  const [near, far] = [destination('near'), destination('far')];
  await fill(near, ids[0] ?? '');
  const manifest = manifestOf(ids[0] ?? '');
  const left = await far.store.draft(backupPrefix(manifest, manifest.id), never);
  await left.put('a.dump', Buffer.from('all the rows of x'), {}, never);
  left.leave();
  const report = await world(near, far).copy();
  assert.deepEqual([report.result, report.backups[0]?.copied?.foundBytes], ['ok', 0]);
});

test('fault 74: a damaged or missing artifact is read from the next copy; without one the copy fails, and leaves nothing', async () => {
  const [near, other, far] = [destination('near'), destination('other'), destination('far')];
  await fill(near, ids[0] ?? '', { ...files, 'a.dump': 'all the rows of X' });
  await fill(other, ids[0] ?? '', { 'a.dump': files['a.dump'] });
  const { copy, warnings } = world(near, other, far);
  assert.equal((await copy()).result, 'ok');
  assert.match(warnings().join(), /a\.dump: the copy in near is damaged.*; taking the one in other/);
  assert.deepEqual(await manifests(far), [ids[0]]);
  const third = destination('far');
  const alone = await world(near, third).copy();
  assert.deepEqual([alone.result, alone.backups[0]?.error?.code], ['failed', 'ARTIFACT_CORRUPT']);
  assert.deepEqual(await keysOf(third.store), []);
  assert.doesNotThrow(() => third.store.draft(`shop/db/postgres/${ids[0]}`, never));
});

test('fault 50: a destination that takes nothing ends the run; what lies there stays, and no copy is blamed', async () => {
  const [near, other] = [destination('near'), destination('other')];
  for (const id of ids) for (const place of [near, other]) await fill(place, id);
  const store = createMemoryStore();
  const far = destination('far');
  const full = meddling(store, async () => {
    if ((await keysOf(store, 'shop/')).length > 0) throw new LifeboatError('STORE_FULL', 'the disk is full');
  });
  const { copy, warnings } = world(near, other, { ...far, store: full, catalog: createCatalog(store) });
  const report = await copy();
  assert.deepEqual(
    [report.result, report.backups.map(({ error }) => error?.code), shortly(report.untried)],
    ['partial', [undefined, 'STORE_FULL'], ['cccccc']],
  );
  assert.deepEqual(warnings(), []);
  assert.deepEqual(
    await createCatalog(store)
      .list({}, never)
      .then(({ manifests: kept }) => kept.map(({ id }) => id)),
    [ids[0]],
  );
});

test('fault 62: never over something of the same name, which is told with its place', async () => {
  const [near, far] = [destination('near'), destination('far')];
  for (const id of ids.slice(0, 2)) await fill(near, id);
  await fill(far, ids[0] ?? '');
  const key = `shop/db/postgres/${ids[0]}/manifest.json`;
  await far.store.put(key, Readable.from(['{ torn']), {}, never);
  const report = await world(near, far).copy();
  assert.equal(report.result, 'partial');
  assert.equal(report.backups[0]?.error?.code, 'OBJECT_EXISTS');
  assert.match(report.backups[0]?.error?.hint ?? '', new RegExp(`shop/db/postgres/${ids[0]}`));
  assert.equal(report.backups[1]?.result, 'ok', 'the next one is copied');
});

test('a destination that cannot be read is no empty one: the run does not begin', async () => {
  const near = destination('near');
  await fill(near, ids[0] ?? '');
  const store: Store = {
    ...createMemoryStore(),
    folders: () => Promise.reject(new LifeboatError('STORE_UNAVAILABLE', 'away')),
  };
  const away = destination('far', store);
  const { copy, events } = world(near, away);
  await assert.rejects(copy(), { code: 'STORE_UNAVAILABLE' });
  assert.deepEqual(events, []);
  const other = await world(near, { ...away, name: 'other' }, destination('far')).copy();
  assert.deepEqual([other.result, other.problems.length], ['partial', 1], 'one beside it may hold more');
});

test('fault 44: while another sidecar writes there the run does not begin', async () => {
  const near = destination('near');
  await fill(near, ids[0] ?? '');
  const hold = () => Promise.reject(new LifeboatError('LOCKED', 'is being written to by another'));
  const { copy, events } = world(near, { ...destination('far'), hold });
  await assert.rejects(copy(), { code: 'LOCKED' });
  assert.deepEqual(events, []);
});

test('that nothing is found is no news where a source of copies could not be read', async () => {
  const folders = () => Promise.reject(new LifeboatError('STORE_UNAVAILABLE', 'away'));
  const near = destination('near', { ...createMemoryStore(), folders });
  await assert.rejects(world(near, destination('far')).copy(), {
    code: 'BACKUP_NOT_FOUND',
    message: /as far as could be read/,
  });
});
