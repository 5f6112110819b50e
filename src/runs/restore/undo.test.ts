import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { undoLine } from './undo.ts';

const [sample] = sampleManifest().artifacts;
assert.ok(sample);
const holding = (...names: string[]) =>
  sampleManifest({
    artifacts: [
      { ...sample, name: 'globals', kind: 'globals' },
      ...names.map((name) => ({ ...sample, name, kind: 'database' })),
    ],
  });
const undo = (restored: string[], only: string[] | undefined, safety: string[]) =>
  undoLine('db/postgres', holding(...restored), only, holding(...safety));

test('what was restored whole is undone by one short line', () => {
  assert.equal(undo(['shop', 'blog'], undefined, ['shop', 'blog']), 'restore db/postgres --at k3f9a2');
});

test('databases that the restore left alone are not taken back with it', () => {
  assert.equal(undo(['shop', 'blog'], ['shop'], ['shop', 'blog']), 'restore db/postgres --at k3f9a2 --database=shop');
  const line = undo(["it's"], undefined, ['blog', "it's"]);
  assert.equal(line, `restore db/postgres --at k3f9a2 --database='it'\\''s'`);
});

test('where only new databases were made there is nothing to take back', () => {
  assert.equal(undo(['shop', 'blog'], ['shop'], ['blog']), undefined);
});
