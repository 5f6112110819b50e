import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from './journal.ts';

test('an entry that cannot be read is named, with what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-journal-'));
  t.after(() => rm(folder, { recursive: true }));
  const journal = openJournal(folder, () => new Date());
  assert.deepEqual(await journal.leftOpen(), []);
  await writeFile(join(folder, 'x.json.tmp'), '{"at":');
  assert.deepEqual(await journal.leftOpen(), [], 'one that was never finished says nothing');
  await writeFile(join(folder, 'x.json'), '{"at":');
  await assert.rejects(journal.leftOpen(), {
    code: 'QUIESCE_FAILED',
    message: /x\.json cannot be read/,
    hint: /remove/,
  });
});
