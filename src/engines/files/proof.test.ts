import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLifeboatError } from '../../domain/errors.ts';
import type { DumpReport } from '../../domain/tree-report.ts';
import type { ReviewedArtifact, Survey } from '../engine.ts';
import { archiveKind, listKind, listName } from './facts.ts';
import { review } from './proof.ts';

const none = { count: 0, first: [] };
const report = (more: Partial<DumpReport> = {}): DumpReport => ({
  members: 3,
  missing: 0,
  changed: none,
  unreadable: none,
  sockets: 0,
  said: [],
  ...more,
});
const archive: ReviewedArtifact = {
  name: '/data',
  kind: archiveKind,
  extension: 'tar',
  facts: {},
  plainBytes: 1,
  counts: [{ how: 'dump', objects: { entries: 3, files: 2, folders: 1 } }],
};
const list: ReviewedArtifact = {
  ...archive,
  name: listName('/data'),
  kind: listKind,
  facts: { of: '/data' },
  counts: [],
};
const reviewOf = (told: DumpReport, artifacts = [archive, list]) =>
  review({ notes: { folders: [], reports: new Map([['/data', told]]) } } as unknown as Survey, artifacts);

it('finds nothing wrong where all that was found is in the archive', () => {
  assert.deepEqual(reviewOf(report()), {
    method: '/data: 2 files in 1 folder, as many entries as were found',
    warnings: [],
    lacks: [],
  });
});

it('names what could not be read, as text that a terminal does not obey', () => {
  const unreadable = { count: 30, first: Array.from({ length: 25 }, (_, i) => `f${i}\u001b`) };
  const { lacks = [] } = reviewOf(
    report({ members: 5, missing: 2, unreadable, changed: { count: 1, first: ['log'] } }),
  );
  assert.equal(lacks[0], '/data: 1 file (log) changed while being read');
  assert.match(lacks[1] ?? '', /^\/data: 30 files \(f0\\u001b, .*f19\\u001b, 10 more\) could not be read$/);
});

it('refuses an archive with fewer entries than were given to tar, and says when there is no list', () => {
  assert.throws(
    () => reviewOf(report({ members: 4 })),
    (error) => isLifeboatError(error, 'PROOF_FAILED'),
  );
  assert.match(reviewOf(report(), [archive]).warnings.join(), /too many entries for a list/);
});
