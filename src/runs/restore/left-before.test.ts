import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Intent } from '../../domain/journal.ts';
import type { Container } from '../../domain/types.ts';
import { RunLog } from '../history/run-log.ts';
import type { DiskJournal } from '../journal/journal.ts';
import { repair } from '../journal/repair.ts';
import { leftBefore } from './left-before.ts';
import type { RestoreRequest } from './request.ts';

const role = (service: string) => ({ id: service, name: `shop-${service}-1`, stack: 'shop', service, number: 1 });
const restore = { kind: 'restore', container: role('db'), source: 'db/postgres', note: 'switching', undo: {} } as const;

/** A journal with a restore into the source and one into another, each with what was stopped for it. */
function world(isBack: boolean, only?: readonly string[]) {
  const other = { ...restore, container: role('other'), source: 'other/postgres', suffix: 'm2x47c' } as const;
  let left: Intent[] = [
    { ...restore, suffix: 'k3f9a2', stops: ['shop-app-1'] },
    { kind: 'stop', container: role('app') },
    { ...other, stops: ['shop-web-1'] },
    { kind: 'stop', container: role('web') },
  ];
  const acts: string[] = [];
  const journal: Pick<DiskJournal, 'leftOpen'> = {
    leftOpen: async () =>
      left.map((intent) => ({
        ...{ intent, at: '' },
        done: async () => {
          left = left.filter((each) => each !== intent);
        },
      })),
  };
  const repairer = {
    startAgain: async ({ service }: { service: string }) => void acts.push(`start ${service}`),
    goOn: async () => assert.fail('nothing was paused'),
    recover: async () => {
      if (!isBack) throw new Error('not yet');
      return { live: 'before', found: 'as it was' } as const;
    },
  };
  const warnings: string[] = [];
  const log = new RunLog(
    'r',
    (event) => void (event.type === 'warning' && warnings.push(event.message)),
    () => new Date(),
  );
  const source = { name: 'db/postgres', container: role('db') as unknown as Container };
  const parts = { status: { journal } as never, repair: (these: typeof journal) => repair(these, repairer) };
  const before = leftBefore(parts, { source, name: source.name, only } as unknown as RestoreRequest, log);
  return { before, acts, warnings, services: () => left.map(({ container }) => container.service) };
}

test('fault 76: what an earlier restore left is put right before the next one begins', async () => {
  const { before, acts, services } = world(true);
  await (await before).overwrites();
  assert.deepEqual(acts, ['start app']);
  assert.deepEqual(services(), ['other', 'web'], 'nothing of another source');
});

test('fault 76: where that cannot be done, it is not taken back over what the next one restored', async () => {
  const { before, acts, warnings, services } = world(false);
  const { overwrites, startAgain } = await before;
  assert.match(warnings.join(), /not yet/);
  assert.deepEqual([acts, services()], [[], ['db', 'app', 'other', 'web']]);
  await overwrites();
  assert.deepEqual(services(), ['app', 'other', 'web']);
  await startAgain();
  assert.deepEqual([acts, services()], [['start app'], ['other', 'web']]);
});

test('fault 76: a restore of a part is refused as long as it could be taken back over that', async () => {
  const { before } = world(false, ['shop']);
  await assert.rejects(before, { code: 'RESTORE_REFUSED', hint: /docker exec sidecar restore db\/postgres/ });
});
