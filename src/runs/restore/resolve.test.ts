import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import type { Manifest } from '../../domain/manifest.ts';
import type { RunContext } from '../context.ts';
import { resolveRestore } from './resolve.ts';
import { undoOf } from './undo.ts';

const never = new AbortController().signal;
const source = (stack: string) => ({
  ...{ stack, service: 'db', source: 'postgres', name: 'db/postgres', engine: { name: 'postgres' }, container: {} },
});

function world(stacks: readonly string[], ...backups: Partial<Manifest>[]) {
  const manifests = backups.map((fields) => sampleManifest(fields));
  const catalog = { list: async () => ({ manifests, problems: [] }), find: async () => manifests[0] };
  return {
    candidates: async () => ({ sources: stacks.map(source), uncovered: [] }),
    destinations: async () => [{ name: 'local', isLocal: true, catalog }],
    now: () => new Date('2026-11-21T12:00:00Z'),
  } as unknown as RunContext;
}
const resolve = (context: RunContext, target: string, at = 'latest') =>
  resolveRestore(context, { target, at, skipSafety: true }, never);

test('the line that undoes a restore names the stack where there are several, or it would mean several sources', async () => {
  for (const [stacks, wanted] of [
    [['shop'], 'restore db/postgres --at k3f9a2'],
    [['shop', 'blog'], 'restore shop/db/postgres --at k3f9a2'],
  ] as const) {
    const context = world(stacks, {});
    const { request } = await resolve(context, 'shop/db');
    assert.equal(await undoOf(context, request, '20261121-030000-k3f9a2', never), wanted);
  }
  await assert.rejects(resolve(world(['shop', 'blog'], {}), 'db'), {
    code: 'USAGE',
    hint: 'use one of: blog/db/postgres, shop/db/postgres',
  });
});

test('a backup of another engine is refused, one of another stack is doubted', async () => {
  const mysql = world(['shop'], { engine: 'mysql' });
  await assert.rejects(resolve(mysql, 'db', 'k3f9a2'), { code: 'RESTORE_REFUSED', hint: /lifeboat list db\/postgres/ });
  const { doubts } = await resolve(world(['shop'], { stack: 'blog' }), 'db', 'k3f9a2');
  assert.match(doubts.join(), /k3f9a2 is of db\/postgres in stack blog, and goes into db\/postgres in stack shop/);
});
