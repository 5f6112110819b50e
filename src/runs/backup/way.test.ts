import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Shell } from '../../domain/shell.ts';
import type { Produce } from '../../engines/engine.ts';
import type { Source } from '../source.ts';
import { createWayChooser } from './way.ts';

const exec = { argv: ['pg_dump'] } as const;
const dumped: Produce = { from: 'command', exec, helper: { path: 'pipe', command: exec } };
const large = 64 * 1024 ** 2;

function choose(path: 'auto' | 'exec', produce: Produce, bytes: number | undefined, noPipes?: string) {
  const source = { settings: { path } } as Source;
  const shell = { whyNoPipes: () => noPipes } as Shell;
  const dump = { name: 'shop', kind: 'database', extension: 'dump', facts: {}, produce };
  return createWayChooser(source, shell).choose(dump, bytes, AbortSignal.timeout(1_000));
}

describe('the way of a dump', () => {
  it('counts a large one, or one of unknown size, as worth a helper for its proof however it comes', async () => {
    for (const [path, bytes, carrier, isLarge] of [
      ['auto', large, 'pipe', true],
      ['auto', large - 1, 'relay', false],
      ['exec', large, 'relay', true],
      ['exec', undefined, 'relay', true],
      ['exec', large - 1, 'relay', false],
    ] as const) {
      const way = await choose(path, dumped, bytes);
      assert.deepEqual([way.carrier, way.isLarge], [carrier, isLarge], `${path}, ${bytes} bytes`);
    }
    const refused = await choose('auto', dumped, large, 'no volume');
    assert.deepEqual([refused.carrier, refused.why, refused.isLarge], ['relay', 'no volume', true]);
  });

  it('takes what is no dump of a program, or has one way only, for small', async () => {
    assert.equal((await choose('auto', { from: 'text', text: 'x' }, large)).isLarge, false);
    assert.equal((await choose('auto', { from: 'command', exec }, large)).isLarge, false);
  });
});
