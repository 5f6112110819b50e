import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { createCatalog } from '../../catalog/catalog.ts';
import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Intent } from '../../domain/journal.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { RunEvent, SourceResult } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import { createMemoryStore } from '../../stores/memory.ts';
import type { Destination, RunContext } from '../context.ts';
import { createRunControl } from '../control/control.ts';
import { type History, openHistory } from '../history/history.ts';
import { byId, findBackup, listBackups } from '../lookup.ts';
import type { ScheduleView } from '../schedule/scheduler.ts';
import type { Source } from '../source.ts';
import { readStatus } from './status.ts';

const never = new AbortController().signal;

/** Nobody writes. */
const hold = () => Promise.reject(new Error('not asked for'));

async function destination(name: string, ...backups: Partial<Manifest>[]): Promise<Destination> {
  const store = createMemoryStore({ name });
  for (const fields of backups) {
    const manifest = sampleManifest(fields);
    const draft = await store.draft(backupPrefix(manifest, manifest.id), never);
    await draft.put('shop.dump.zst', Buffer.from('x'), {}, never);
    await draft.publish(encodeManifest(manifest), never);
  }
  return { name, store, catalog: createCatalog(store), isLocal: true, hold };
}

/** A destination where nobody answers. */
function away(name: string): Destination {
  const error = new LifeboatError('STORE_UNAVAILABLE', `${name} is away`);
  const store = createMemoryStore({ name });
  const broken = { ...store, folders: () => Promise.reject(error), get: () => Promise.reject(error) };
  return { name, store: broken, catalog: createCatalog(broken), isLocal: false, hold };
}

const source = (name: SourceName, schedule = '@daily') => {
  const [service = '', kind = ''] = name.split('/');
  return { name, stack: 'shop', service, source: kind, settings: { schedule } } as Source;
};

interface World {
  readonly sources?: readonly Source[] | LifeboatError;
  readonly destinations: readonly Destination[];
  readonly told?: readonly SourceResult[];
  readonly schedule?: Partial<ScheduleView>;
  /** What the journal holds. */
  readonly left?: readonly Intent[];
  /** A run under way. */
  readonly running?: string;
}

const done = async () => {};

function history(results: readonly SourceResult[]): History {
  const remembered = openHistory({
    path: ':memory:',
    now: () => new Date(),
    complain: (message) => assert.fail(message),
  });
  for (const [n, result] of results.entries()) {
    const moment = { run: `20261121-03000${n}-aaaaa${n}`, at: `2026-11-21T03:00:0${n}.000Z` };
    const events: RunEvent[] = [
      { type: 'run.started', stacks: ['shop'], ...moment, sources: [result.source], trigger: 'schedule' },
      { type: 'source.finished', ...moment, stack: 'shop', source: result.source, result },
    ];
    for (const event of events) remembered.read(event);
  }
  return remembered;
}

async function status({
  sources = [source('db/postgres')],
  destinations,
  told = [],
  schedule,
  left = [],
  running,
}: World) {
  const control = createRunControl(2);
  const context = {
    sources: async () => {
      if (sources instanceof LifeboatError) throw sources;
      return { sources, uncovered: [] };
    },
    destinations: async () => destinations,
  } as unknown as RunContext;
  using remembered = history(told);
  const view = schedule && { next: () => undefined, hasComeDue: () => true, ...schedule };
  const journal = { leftOpen: async () => left.map((intent) => ({ intent, at: '2026-11-21T03:00:00.000Z', done })) };
  const facts = { history: remembered, problems: () => [], journal, ...(view ? { schedule: view } : {}) };
  if (running) control.running.begin({ run: running, trigger: 'restore', sources: [], startedAt: '' }, never);
  return { control, read: await readStatus(context, control, facts, async () => 'shop', never) };
}

const ok: SourceResult = { source: 'db/postgres', result: 'ok', backup: '20261121-030000-k3f9a2', durationMs: 1 };
const failed: SourceResult = {
  source: 'db/postgres',
  result: 'failed',
  durationMs: 1,
  error: { code: 'COMMAND_FAILED', message: 'pg_dump: no' },
};

for (const [what, world, wanted] of [
  ['is ok after a good backup', { told: [ok] }, ['ok', true]],
  ['is ok without a history, as the destinations say', {}, ['ok', true]],
  ['failed when the last attempt did, however good the one before', { told: [ok, failed] }, ['failed', false]],
  ['is what it was before a person cancelled', { told: [ok, { ...failed, result: 'cancelled' }] }, ['ok', true]],
  ['is what it was before it was skipped', { told: [failed, { ...failed, result: 'skipped' }] }, ['failed', false]],
  ['is partial when something could not be read', { told: [{ ...ok, result: 'partial' }] }, ['partial', false]],
  ['is degraded when not everywhere', { told: [{ ...ok, result: 'degraded' }] }, ['degraded', false]],
] as const) {
  test(`a source ${what}`, async () => {
    const { read } = await status({ destinations: [await destination('local', {})], ...world });
    const [found] = read.sources;
    assert.deepEqual([found?.state, found?.isHealthy], wanted);
    assert.equal(found?.lastBackup?.id, '20261121-030000-k3f9a2');
  });
}

test('a source without a backup is unwell once it should have one', async () => {
  const empty = [await destination('local')];
  const judged = async (world: Partial<World>) => {
    const [found] = (await status({ destinations: empty, ...world })).read.sources;
    return [found?.state, found?.isHealthy];
  };
  assert.deepEqual(await judged({ schedule: { hasComeDue: () => false } }), ['never', true]);
  assert.deepEqual(await judged({ schedule: { hasComeDue: () => true } }), ['never', false]);
  assert.deepEqual(await judged({ sources: [source('db/postgres', 'manual')], schedule: {} }), ['never', true]);
  assert.deepEqual(await judged({}), ['never', false], 'without a daemon nobody knows');
  assert.deepEqual(await judged({ told: [ok] }), ['never', false], 'somebody removed the backup');
});

test('the newest backup counts, and every place where it lies', async () => {
  const older = { id: '20261120-030000-aaaaaa' };
  const { read } = await status({
    destinations: [
      await destination('local', {}, older),
      await destination('offsite', older),
      await destination('third', {}),
    ],
  });
  assert.deepEqual(read.sources[0]?.lastBackup?.destinations, ['local', 'third']);
});

test('a destination that is away is named, and what is remembered stands in for it', async () => {
  const told = [{ ...ok, plainBytes: 7, destinations: [{ name: 'offsite', result: 'ok' as const }] }];
  const { read } = await status({ destinations: [await destination('local'), away('offsite')], told });
  assert.deepEqual(
    read.destinations.map(({ name, error }) => [name, error?.message]),
    [
      ['local', undefined],
      ['offsite', 'offsite is away'],
    ],
  );
  const [found] = read.sources;
  assert.equal(found?.state, 'ok');
  assert.deepEqual(found?.lastBackup, {
    id: '20261121-030000-k3f9a2',
    startedAt: '2026-11-21T03:00:00.000Z',
    plainBytes: 7,
    storedBytes: 0,
    destinations: ['offsite'],
    verified: [],
  });
});

test('without the Engine the backups tell what there is', async () => {
  const engine = new LifeboatError('DOCKER_UNAVAILABLE', 'the Engine does not answer');
  const { read } = await status({
    sources: engine,
    destinations: [await destination('local', {})],
    told: [ok, failed],
  });
  assert.deepEqual(
    read.problems.map(({ message }) => message),
    ['the Engine does not answer'],
  );
  assert.deepEqual(
    read.sources.map(({ source: name, state }) => [name, state]),
    [['db/postgres', 'failed']],
  );
});

test('a source that lost its container is not forgotten; another stack in the same destination is not ours', async () => {
  const others = [{ service: 'old', source: 'mysql' }, { stack: 'blog' }];
  const { read } = await status({ destinations: [await destination('local', {}, ...others)] });
  assert.deepEqual(
    read.sources.map(({ source: name, state, isHealthy }) => [name, state, isHealthy]),
    [
      ['db/postgres', 'ok', true],
      ['old/mysql', 'gone', true],
    ],
  );
});

test('lists what can be read, and names what cannot', async () => {
  const context = (...destinations: readonly Destination[]) =>
    ({ destinations: async () => destinations }) as unknown as RunContext;
  const both = context(await destination('local', {}), away('offsite'));
  const { backups, problems } = await listBackups(both, {}, never);
  assert.equal(backups.length, 1);
  assert.deepEqual(problems, [{ destination: 'offsite', key: '', message: 'offsite is away' }]);
  await assert.rejects(listBackups(context(away('one'), away('two')), {}, never), { code: 'STORE_UNAVAILABLE' });
  await assert.rejects(
    findBackup(both, (all) => byId(all, 'zzzzzz'), never),
    { code: 'BACKUP_NOT_FOUND', message: /as far as could be read/, hint: /offsite is away/ },
  );
});

test('fault 76: a restore that is neither completed nor taken back is told of, with what it keeps stopped', async () => {
  const role = (service: string) => ({ id: service, name: `shop-${service}-1`, stack: 'shop', service, number: 1 });
  const restore = { kind: 'restore', container: role('db'), source: 'db/postgres', suffix: 'k3f9a2' } as const;
  const staging: Intent = { ...restore, note: 'restore of m2x47c, staging', stops: ['shop-app-1'] };
  const left: Intent[] = [
    { ...staging, note: 'restore of m2x47c, switching shop', undo: {} },
    staging,
    { kind: 'stop', container: role('app') },
  ];
  const destinations = [await destination('local', {})];
  const { read } = await status({ destinations, left });
  assert.equal(read.problems.length, 1);
  assert.match(read.problems[0]?.message ?? '', /db\/postgres: restore of m2x47c, switching shop, was begun at 2026/);
  assert.match(read.problems[0]?.hint ?? '', /app stays stopped.*docker exec sidecar restore shop\/db\/postgres/);
  const untouched = await status({ destinations, left: left.slice(1) });
  assert.deepEqual(untouched.read.problems, []);
  const underWay = await status({ destinations, left, running: '20261121-030000-k3f9a2' });
  assert.deepEqual(underWay.read.problems, []);
});
