import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunEvent, SourceResult } from '../domain/run-event.ts';
import type { Outcome } from './outcome.ts';
import { createRunReader } from './run-reader.ts';

const at = (minute: number) => `2026-11-21T03:${String(minute).padStart(2, '0')}:00.000Z`;
const failed: SourceResult = {
  source: 'db/postgres',
  result: 'failed',
  durationMs: 1,
  error: { code: 'X', message: 'm' },
};
const good: SourceResult = { source: 'db/postgres', result: 'ok', durationMs: 1, backup: '20261121-030000-s4f3t2' };

function outcomesOf(...events: readonly RunEvent[]): readonly Outcome[] {
  const told: Outcome[] = [];
  const read = createRunReader((outcome) => told.push(outcome));
  for (const event of events) read(event);
  return told;
}

describe('run reader', () => {
  it('makes one outcome of a run, with the step in which each source failed', () => {
    const run = 'r1';
    const [outcome, ...others] = outcomesOf(
      { type: 'run.started', run, at: at(0), stacks: ['shop'], sources: ['db/postgres'], trigger: 'schedule' },
      { type: 'step.started', run, at: at(1), stack: 'shop', source: 'db/postgres', step: 'survey' },
      { type: 'step.finished', run, at: at(1), stack: 'shop', source: 'db/postgres', step: 'survey' },
      { type: 'step.started', run, at: at(1), stack: 'shop', source: 'db/postgres', step: 'dump' },
      { type: 'step.started', run, at: at(1), stack: 'blog', source: 'db/postgres', step: 'publish' },
      { type: 'warning', run, at: at(1), message: 'w' },
      { type: 'source.finished', run, at: at(2), stack: 'shop', source: 'db/postgres', result: failed },
      { type: 'source.finished', run, at: at(2), stack: 'blog', source: 'db/postgres', result: good },
      { type: 'run.finished', run, at: at(3), result: 'partial' },
      { type: 'run.finished', run, at: at(4), result: 'partial' },
    );
    assert.deepEqual(others, []);
    assert.deepEqual(outcome, {
      kind: 'backup',
      run,
      trigger: 'schedule',
      result: 'partial',
      startedAt: at(0),
      finishedAt: at(3),
      error: undefined,
      sources: [
        { ...failed, stack: 'shop', step: 'dump' },
        { ...good, stack: 'blog', step: undefined },
      ],
    });
  });

  it('keeps runs apart that go on at the same time', () => {
    const told = outcomesOf(
      { type: 'run.started', run: 'a', at: at(0), stacks: ['shop'], sources: ['db/postgres'], trigger: 'manual' },
      { type: 'run.started', run: 'b', at: at(0), stacks: ['shop'], sources: [], trigger: 'schedule' },
      { type: 'source.finished', run: 'a', at: at(1), stack: 'shop', source: 'db/postgres', result: good },
      { type: 'run.finished', run: 'b', at: at(1), result: 'failed', error: { code: 'X', message: 'no Engine' } },
      { type: 'run.finished', run: 'a', at: at(2), result: 'ok' },
    );
    assert.deepEqual(
      told.map((outcome) => 'run' in outcome && [outcome.run, outcome.kind === 'backup' && outcome.sources.length]),
      [
        ['b', 0],
        ['a', 1],
      ],
    );
    assert.deepEqual('error' in (told[0] ?? {}) && told[0], { ...told[0], error: { code: 'X', message: 'no Engine' } });
  });

  it('makes a restore of a restore, with the way back', () => {
    const begin: readonly RunEvent[] = [
      { type: 'run.started', run: 'r', at: at(0), stacks: ['shop'], sources: ['db/postgres'], trigger: 'restore' },
      { type: 'source.finished', run: 'r', at: at(1), stack: 'shop', source: 'db/postgres', result: good },
      { type: 'step.started', run: 'r', at: at(1), stack: 'shop', source: 'db/postgres', step: 'switch' },
    ];
    const common = {
      kind: 'restore',
      run: 'r',
      stack: 'shop',
      source: 'db/postgres',
      startedAt: at(0),
      finishedAt: at(2),
      safety: good.backup,
    };
    const error = { code: 'RESTORE_FAILED', message: 'm' };
    assert.deepEqual(outcomesOf(...begin, { type: 'run.finished', run: 'r', at: at(2), result: 'ok' }), [
      { ...common, result: 'ok', error: undefined, step: undefined },
    ]);
    assert.deepEqual(outcomesOf(...begin, { type: 'run.finished', run: 'r', at: at(2), result: 'failed', error }), [
      { ...common, result: 'failed', error, step: 'switch' },
    ]);
  });

  it('takes sources without a stack for its own', () => {
    const told: Outcome[] = [];
    const read = createRunReader(
      (outcome) => told.push(outcome),
      () => 'shop',
    );
    read({ type: 'run.started', run: 'r', at: at(0), stacks: ['shop'], sources: ['db/postgres'], trigger: 'manual' });
    read({ type: 'step.started', run: 'r', at: at(0), source: 'db/postgres', step: 'dump' });
    read({ type: 'source.finished', run: 'r', at: at(1), source: 'db/postgres', result: failed });
    read({ type: 'run.finished', run: 'r', at: at(2), result: 'failed' });
    assert.deepEqual(told[0]?.kind === 'backup' && told[0].sources, [{ ...failed, stack: 'shop', step: 'dump' }]);
  });

  for (const trigger of ['verify', 'copy'])
    it(`says nothing of a run that somebody asked for to read what it says: ${trigger}`, () => {
      const told = outcomesOf(
        { type: 'run.started', run: 'r', at: at(0), stacks: ['shop'], sources: ['db/postgres'], trigger },
        { type: 'source.finished', run: 'r', at: at(1), stack: 'shop', source: 'db/postgres', result: failed },
        { type: 'run.finished', run: 'r', at: at(2), result: 'failed' },
      );
      assert.deepEqual(told, []);
    });

  it('says nothing of a run whose beginning it has not seen', () => {
    assert.deepEqual(outcomesOf({ type: 'run.finished', run: 'r', at: at(2), result: 'ok' }), []);
  });
});
