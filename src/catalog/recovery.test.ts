import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { backupPrefix } from '../domain/naming.ts';
import { createMemoryStore } from '../stores/memory.ts';
import { renderRecovery, writeRecovery } from './recovery.ts';

const now = new Date('2026-11-21T12:00:00Z');
const never = new AbortController().signal;
const [artifact] = sampleManifest().artifacts;
assert.ok(artifact);

test('shows the newest backup of each source with folder, check sums and the line for each file', () => {
  const page = renderRecovery(
    [sampleManifest(), sampleManifest({ service: 'app', source: 'files' })],
    'file:///backups',
    now,
  );
  assert.match(page, /^# How to restore these backups by hand/);
  assert.match(page, /## shop: app\/files[\s\S]*## shop: db\/postgres/);
  assert.match(page, /cd shop\/db\/postgres\/20261121-030000-k3f9a2\n/);
  assert.ok(page.includes(`${'c'.repeat(64)}  shop.dump.zst\n`));
  assert.ok(page.includes('\nzstd -dc shop.dump.zst | pg_restore -U postgres -d shop\n'));
  assert.match(page, /207 MB here, 1.03 GB restored|1.04 GB restored/);
});

test('its commands run as they stand', async (t) => {
  const content = Buffer.from('the whole database');
  const manifest = sampleManifest({
    artifacts: [
      {
        ...artifact,
        storedSha256: createHash('sha256').update(content).digest('hex'),
        byHand: 'cat shop.dump.zst',
      },
    ],
  });
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-recovery-'));
  t.after(() => rm(root, { recursive: true }));
  const folder = join(root, backupPrefix(manifest, manifest.id));
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'shop.dump.zst'), content);
  const commands = /````sh\n([\s\S]*?)````/.exec(renderRecovery([manifest], 'file:///backups', now))?.[1] ?? '';
  const output = execFileSync('sh', ['-e', '-c', commands], { cwd: root }).toString();
  assert.equal(output, 'shop.dump.zst: OK\nthe whole database');
  await writeFile(join(folder, 'shop.dump.zst'), 'damaged');
  assert.throws(() => execFileSync('sh', ['-e', '-c', commands], { cwd: root, stdio: 'pipe' }));
});

test('names from databases cannot break out of their place', () => {
  const page = renderRecovery(
    [
      sampleManifest({
        stack: '# `x` <b>',
        artifacts: [
          { ...artifact, name: 'a\nrm -rf /\n````', file: 'f\nSUMS\nrm -rf /', byHand: "zstd -dc 'a' \n rm -rf /" },
        ],
      }),
    ],
    'file:///backups',
    now,
  );
  assert.ok(page.split('\n').every((line) => !line.trimStart().startsWith('rm ')));
  assert.ok(page.split('\n').every((line) => line === '````' || line === '````sh' || !line.startsWith('````')));
  assert.match(page, /## \\# \\`x\\` \\<b\\>:/);
});

test('is written to the root of the destination, over the one before', async () => {
  const store = createMemoryStore();
  await writeRecovery(store, [], now, never);
  await writeRecovery(store, [sampleManifest()], now, never);
  assert.match(String(await buffer(await store.get('RECOVERY.md', never))), /db\/postgres/);
});
