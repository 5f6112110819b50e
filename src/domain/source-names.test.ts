import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEvent } from './run-event.ts';
import { createEventNamer, createNamer, meant } from './source-names.ts';
import type { SourceAddress } from './types.ts';

const address = (text: string): SourceAddress => {
  const [stack = '', service = '', source = ''] = text.split('/');
  return { stack, service, source };
};

test('the stack stands before a name only where there are several', () => {
  const source = { stack: 'shop', name: 'db/postgres' } as const;
  assert.equal(createNamer(['shop', 'shop'])(source), 'db/postgres');
  assert.equal(createNamer(['shop', 'blog'])(source), 'shop/db/postgres');
});

test('events of a run over several stacks are told apart from its first one on', () => {
  const named = createEventNamer();
  const moment = { run: 'r', at: '2026-11-21T00:00:00Z' };
  const step = (stack: string): RunEvent => ({ ...moment, type: 'step.started', stack, source: 'db/x', step: 'dump' });
  assert.equal(named(step('shop')), 'db/x');
  const sources = ['db/x', 'db/x'] as const;
  assert.equal(
    named({ ...moment, type: 'run.started', trigger: 'manual', sources, stacks: ['shop', 'blog'] }),
    undefined,
  );
  assert.equal(named(step('shop')), 'shop/db/x');
});

test('a target names services first, then stacks', () => {
  const all = ['shop/db/postgres', 'shop/db/files', 'blog/db/postgres', 'db/postgres/redis'].map(address);
  const cases: readonly [string, readonly string[]][] = [
    ['db', ['shop/db/postgres', 'shop/db/files', 'blog/db/postgres']],
    // A service called like that goes before a stack called db.
    ['db/postgres', ['shop/db/postgres', 'blog/db/postgres']],
    ['shop/db', ['shop/db/postgres', 'shop/db/files']],
    ['blog/db/postgres', ['blog/db/postgres']],
    ['db/postgres/redis', ['db/postgres/redis']],
    ['shop', []],
  ];
  for (const [target, wanted] of cases) {
    const found = meant(all, (each) => each, target);
    assert.deepEqual(
      found.map(({ stack, service, source }) => `${stack}/${service}/${source}`),
      wanted,
      target,
    );
  }
});
