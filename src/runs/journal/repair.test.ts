import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import type { RestoreIntent } from '../../domain/journal.ts';
import { openJournal } from './journal.ts';
import { repair, unrepairedText } from './repair.ts';

const asBefore = { live: 'before', found: 'the live databases are as they were' } as const;
const container = { id: 'c0ffee', name: 'shop-db-1', stack: 'shop', service: 'db', number: 1 };

test('fault 76: of a restore that cannot be taken back yet nothing is cleaned up, and another one is taken back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-repair-'));
  t.after(() => rm(folder, { recursive: true }));
  let seconds = 0;
  const journal = openJournal(folder, () => new Date(Date.UTC(2026, 10, 21, 3, 0, seconds++)));
  const intend = (suffix: string, note: string, undo?: unknown) =>
    journal.intend({ kind: 'restore', container, source: 'db/mysql', note, suffix, undo });
  await intend('k3f9a2', 'staging');
  await intend('k3f9a2', 'switching', { tables: [] });
  await intend('m2x47c', 'staging');
  const asked: string[] = [];
  let isUp = false;
  const recover = async ({ suffix, note }: RestoreIntent) => {
    asked.push(`${suffix} ${note}`);
    if (note !== 'switching' || isUp) return asBefore;
    throw new LifeboatError('SOURCE_UNHEALTHY', 'the server is not up yet');
  };
  const never = async () => assert.fail('nothing was stopped');
  const repairer = { startAgain: never, goOn: never, recover };
  const { done, open } = await repair(journal, repairer);
  assert.deepEqual(asked, ['m2x47c staging', 'k3f9a2 switching']);
  assert.deepEqual([done.length, open.length], [1, 1]);
  isUp = true;
  assert.equal((await repair(journal, repairer)).done.length, 2);
  assert.deepEqual(asked.slice(2), ['k3f9a2 switching', 'k3f9a2 staging']);
  assert.deepEqual(await journal.leftOpen(), []);
});

test('fault 76: who uses the data of a restore that cannot be taken back stays stopped until it is, and nobody else', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-repair-'));
  t.after(() => rm(folder, { recursive: true }));
  let seconds = 0;
  const journal = openJournal(folder, () => new Date(Date.UTC(2026, 10, 21, 3, 0, seconds++)));
  const app = { ...container, id: 'abba', name: 'shop-app-1', service: 'app' };
  const other = { ...container, id: 'dada', name: 'shop-other-1', service: 'other' };
  const restore = { kind: 'restore', container, source: 'db/mysql', suffix: 'k3f9a2', stops: [app.name] } as const;
  for (const role of [other, app]) await journal.intend({ kind: 'stop', container: role });
  await journal.intend({ ...restore, note: 'staging' });
  const switching = await journal.intend({ ...restore, note: 'switching', undo: { tables: [] } });
  const started: string[] = [];
  let isUp = false;
  const repairer = {
    startAgain: async ({ service }: { service: string }) => void started.push(service),
    goOn: async () => assert.fail('nothing was paused'),
    recover: async () => {
      if (isUp) return asBefore;
      throw new LifeboatError('SOURCE_UNHEALTHY', 'the server is not up yet');
    },
  };
  const { open } = await repair(journal, repairer);
  assert.deepEqual(started, ['other']);
  assert.match(
    open.map(unrepairedText).join(),
    /app stays stopped.*docker exec sidecar restore shop\/db\/mysql.*docker compose start app$/,
  );
  isUp = true;
  assert.deepEqual((await repair(journal, repairer)).open, []);
  assert.deepEqual(started, ['other', 'app']);
  assert.deepEqual(await journal.leftOpen(), []);
  await switching(); // It is done already.
  isUp = false;
  await journal.intend({ kind: 'stop', container: app });
  await journal.intend({ ...restore, note: 'staging' });
  await repair(journal, repairer);
  assert.deepEqual(started, ['other', 'app', 'app'], 'live data that nobody touched keeps nobody down');
});

test('fault 76: data that only another restore can put right is left to a person, with who uses it stopped', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-repair-'));
  t.after(() => rm(folder, { recursive: true }));
  const journal = openJournal(folder, () => new Date());
  const app = { ...container, id: 'abba', name: 'shop-app-1', service: 'app' };
  await journal.intend({ kind: 'stop', container: app });
  const restore = { kind: 'restore', container, source: 'db/mysql', suffix: 'k3f9a2', stops: [app.name] } as const;
  await journal.intend({ ...restore, note: 'switching', undo: {} });
  const never = async () => assert.fail('nothing is started');
  const recover = async () => ({ live: 'half', found: 'it may be half-written' }) as const;
  const { done, open } = await repair(journal, { startAgain: never, goOn: never, recover });
  assert.deepEqual(done, []);
  const way =
    /half-written; app stays stopped.*restore again.*sidecar restore shop\/db\/mysql.*docker compose start app$/;
  assert.match(open.map(unrepairedText).join(), way);
  assert.deepEqual(await journal.leftOpen(), [], 'nobody waits for what does not happen');
});
