import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import type { RunEvent, SourceResult } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import { type History, openHistory } from './history.ts';
import { lookIntoHistory } from './history-view.ts';

let folder: string;
let path: string;
let complaints: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lifeboat-history-'));
  path = join(folder, 'history.sqlite');
  complaints = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const now = () => new Date('2026-11-21T12:00:00Z');
const complain = (message: string) => void complaints.push(message);
const open = () => openHistory({ path, now, complain });
const key = { stack: 'shop', source: 'db/postgres' } as const;

interface Told {
  readonly run: string;
  readonly at: string;
  readonly result?: SourceResult['result'];
  readonly source?: SourceName;
  readonly trigger?: string;
  readonly stack?: string;
}

/** A run over one source as the stream tells it; without a result it never ends. */
function tell(history: History, { run, at, result, source = key.source, trigger = 'schedule', stack = 'shop' }: Told) {
  const moment = { run, at };
  history.read({ type: 'run.started', ...moment, stacks: ['shop'], sources: [source], trigger });
  history.read({ type: 'step.started', ...moment, stack, source, step: 'dump', detail: 'shop' });
  history.read({ type: 'progress', ...moment, stack, source, step: 'dump', plainBytes: 1, storedBytes: 1 });
  if (!result) return;
  const error = { code: 'COMMAND_FAILED', message: 'pg_dump: no' };
  const outcome: SourceResult =
    result === 'ok' || result === 'degraded'
      ? { source, result, backup: run, plainBytes: 100, storedBytes: 10, durationMs: 5 }
      : { source, result, durationMs: 5, error };
  history.read({ type: 'source.finished', ...moment, stack, source, result: outcome });
  history.read({ type: 'run.finished', ...moment, result: result === 'skipped' ? 'ok' : result });
}

const day = (n: number) => `2026-11-${String(n).padStart(2, '0')}T03:00:00.000Z`;
const runOf = (n: number) => `202611${String(n).padStart(2, '0')}-030000-aaaa${String(n).padStart(2, '2')}`;

test('remembers over a restart how each source ended, the last attempt and the last good one', () => {
  {
    using history = open();
    assert.equal(history.isNew, true);
    tell(history, { run: runOf(18), at: day(18), result: 'ok' });
    tell(history, { run: runOf(19), at: day(19), result: 'failed' });
    tell(history, { run: runOf(20), at: day(20), result: 'cancelled' });
    tell(history, { run: runOf(21), at: day(21), result: 'skipped' });
    tell(history, { run: runOf(20), at: day(20), result: 'ok', stack: 'blog' });
  }
  using history = open();
  assert.equal(history.isNew, false);
  const past = history.past();
  assert.deepEqual(
    past.map(({ stack, source, last, decisive, good }) => [stack, source, last.run, decisive?.run, good?.run]),
    [
      ['blog', key.source, runOf(20), runOf(20), runOf(20)],
      ['shop', key.source, runOf(20), runOf(19), runOf(18)],
    ],
  );
  assert.equal(past[1]?.decisive?.error?.message, 'pg_dump: no');
  assert.equal(past[1]?.good?.outcome?.storedBytes, 10);
  assert.deepEqual(complaints, []);
});

test('tells a run again, by its id or the short one, without its progress', () => {
  using history = open();
  tell(history, { run: runOf(18), at: day(18), result: 'ok' });
  tell(history, { run: runOf(19), at: day(19), result: 'failed' });
  const types = (record: { events: readonly RunEvent[] } | undefined) => record?.events.map(({ type }) => type);
  const whole = ['run.started', 'step.started', 'source.finished', 'run.finished'];
  assert.deepEqual(types(history.record(runOf(18))), whole);
  assert.deepEqual(types(history.record('aaaa18')), whole);
  assert.equal(history.record(undefined)?.run, runOf(19), 'the newest');
  assert.equal(history.record('zzzzzz'), undefined);
  const { trigger, sources, result, finishedAt } = history.record('aaaa19') ?? {};
  assert.deepEqual(
    { trigger, sources, result, finishedAt },
    {
      trigger: 'schedule',
      sources: [key.source],
      result: 'failed',
      finishedAt: day(19),
    },
  );
});

for (const [trigger, result] of [
  ['restore', 'failed'],
  ['verify', 'failed'],
  ['copy', 'ok'],
] as const)
  test(`a ${trigger} is told, but says nothing about backups`, () => {
    using history = open();
    tell(history, { run: runOf(18), at: day(18), result, trigger });
    assert.deepEqual(history.past(), []);
    assert.equal(history.record(undefined)?.trigger, trigger);
  });

test('a run cut short is a failure, and is made up for; the second in a row is not', () => {
  {
    using history = open();
    tell(history, { run: runOf(18), at: day(18), result: 'ok' });
    tell(history, { run: runOf(19), at: day(19) });
    assert.equal(history.record('aaaa19')?.finishedAt, undefined, 'it runs');
  }
  {
    using history = open();
    assert.equal(history.record('aaaa19')?.result, 'interrupted');
    const [past] = history.past();
    assert.equal(past?.decisive?.result, 'interrupted');
    assert.match(past?.decisive?.error?.message ?? '', /ended while it ran/);
    assert.deepEqual(history.lastAttempt(key), new Date(day(18)));
    tell(history, { run: runOf(20), at: day(20) });
  }
  using history = open();
  assert.deepEqual(history.lastAttempt(key), new Date(day(20)));
});

test('runs that ended with the process are made up for, those a person cancelled are not', () => {
  using history = open();
  tell(history, { run: runOf(18), at: day(18), result: 'ok' });
  tell(history, { run: runOf(19), at: day(19), result: 'cancelled' });
  assert.deepEqual(history.lastAttempt(key), new Date(day(19)));
  history.markInterrupted([runOf(19)], now());
  assert.deepEqual(history.lastAttempt(key), new Date(day(18)));
  assert.equal(history.record('aaaa19')?.result, 'interrupted');
  history.markInterrupted([runOf(18)], now());
  assert.equal(history.past()[0]?.good?.run, runOf(18), 'what had ended before stays as it is');
  assert.equal(history.record('aaaa18')?.result, 'ok');
});

test('knows since when a schedule holds', () => {
  const [first, later] = [new Date(day(18)), new Date(day(20))];
  {
    using history = open();
    assert.deepEqual(history.scheduledSince(key, '@daily', first), first);
  }
  using history = open();
  assert.deepEqual(history.scheduledSince(key, '@daily', later), first);
  assert.deepEqual(history.scheduledSince(key, '@hourly', later), later);
  assert.deepEqual(history.scheduledSince({ ...key, stack: 'blog' }, '@daily', later), later);
});

for (const [what, damage] of [
  ['cut in the middle', async () => truncate(path, 2000)],
  ['overwritten', async () => writeFile(path, Buffer.alloc(9000, 'x'))],
  [
    'with torn pages',
    async () => {
      const bytes = await readFile(path);
      bytes.fill(0xee, 4096);
      await writeFile(path, bytes);
    },
  ],
  [
    'of a newer Lifeboat',
    async () => {
      using database = new DatabaseSync(path);
      database.exec('PRAGMA user_version = 99');
    },
  ],
] as const) {
  test(`fault 48: a file ${what} is moved aside and begun anew`, async () => {
    {
      using history = open();
      for (let n = 1; n < 28; n++) tell(history, { run: runOf(n), at: day(n), result: 'ok' });
    }
    await damage();
    using history = open();
    assert.equal(history.isNew, true);
    assert.deepEqual(history.past(), []);
    assert.ok(existsSync(`${path}.damaged`));
    assert.match(complaints.join(), /was damaged and is begun anew.*history\.sqlite\.damaged/);
    tell(history, { run: runOf(28), at: day(28), result: 'ok' });
    assert.equal(history.past().length, 1);
  });
}

test('fault 48: a file that is damaged while it is open is replaced, and nothing throws', async () => {
  using history = open();
  for (let n = 1; n < 28; n++) tell(history, { run: runOf(n), at: day(n), result: 'ok' });
  await rm(`${path}-wal`);
  await writeFile(path, Buffer.alloc(40_000, 'x'));
  await writeFile(`${path}-wal`, '');
  tell(history, { run: runOf(28), at: day(28), result: 'ok' });
  history.past();
  history.lastAttempt(key);
  history.markInterrupted(['x'], now());
});

test('fault 48: a lost file is learnt again from the catalogs', () => {
  using history = open();
  history.learn([
    sampleManifest({ id: '20261120-030000-bbbbbb', set: 'set-1' }),
    sampleManifest({ id: '20261120-030500-cccccc', set: 'set-1', service: 'app', source: 'files' }),
    sampleManifest({ id: '20261121-030000-dddddd', set: 'set-2', service: 'cache', trigger: 'safety' }),
    sampleManifest({ id: '20261120-030000-bbbbbb', set: 'set-1' }),
  ]);
  assert.deepEqual(
    history.past().map(({ source, good }) => [source, good?.outcome?.backup]),
    [
      ['app/files', '20261120-030500-cccccc'],
      ['db/postgres', '20261120-030000-bbbbbb'],
    ],
  );
  assert.deepEqual(history.lastAttempt(key), new Date('2026-11-20T03:00:00Z'));
});

test('a folder that cannot be written costs the history and nothing else', async () => {
  await writeFile(join(folder, 'file'), '');
  using history = openHistory({ path: join(folder, 'file', 'history.sqlite'), now, complain });
  assert.match(complaints.join(), /kept in memory only/);
  tell(history, { run: runOf(18), at: day(18), result: 'ok' });
  assert.equal(history.past().length, 1);
});

test('stays small, and never forgets the last good backup of a source', async () => {
  using history = open();
  tell(history, { run: 'good', at: '2020-01-01T00:00:00.000Z', result: 'ok', source: 'old/postgres' });
  for (let n = 0; n < 600; n++) {
    const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000).toISOString();
    tell(history, { run: `run-${String(n).padStart(4, '0')}`, at, result: 'failed', source: 'old/postgres' });
  }
  const past = history.past()[0];
  assert.equal(past?.good?.run, 'good');
  assert.equal(past?.last.run, 'run-0599');
  assert.equal(history.record('run-0599')?.events.length, 4);
  assert.equal(history.record('run-0300')?.events.length, 0, 'what was said in old runs is forgotten');
  using database = new DatabaseSync(path, { readOnly: true });
  const count = (table: string) => Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.n);
  assert.ok(count('attempts') <= 402, `${count('attempts')} attempts`);
  assert.ok(count('runs') <= 502, `${count('runs')} runs`);
  assert.ok(count('events') <= 4 * 201, `${count('events')} events`);
});

test('a run that never stops talking is cut off, but its end is heard', () => {
  using history = open();
  history.read({
    type: 'run.started',
    run: 'r',
    at: day(1),
    stacks: ['shop'],
    sources: [key.source],
    trigger: 'manual',
  });
  for (let n = 0; n < 3000; n++) history.read({ type: 'warning', run: 'r', at: day(1), message: `${n}` });
  history.read({ type: 'run.finished', run: 'r', at: day(1), result: 'failed', error: { code: 'X', message: 'why' } });
  const record = history.record('r');
  assert.equal(record?.events.length, 2001);
  assert.deepEqual(record?.error, { code: 'X', message: 'why' });
});

test('can be looked into while somebody else writes, and where there is none', async () => {
  const view = lookIntoHistory(path, complain);
  assert.deepEqual(view.past(), []);
  assert.equal(existsSync(path), false, 'looking makes nothing');
  using history = open();
  tell(history, { run: runOf(18), at: day(18), result: 'ok' });
  assert.equal(view.past()[0]?.last.run, runOf(18));
  assert.equal(view.record(undefined)?.run, runOf(18));
  assert.deepEqual(complaints, []);
});

test('looking into a damaged file finds nothing and leaves it alone', async () => {
  await writeFile(path, Buffer.alloc(9000, 'x'));
  assert.deepEqual(lookIntoHistory(path, complain).past(), []);
  assert.equal((await readFile(path)).length, 9000);
});
