import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { dumpLike, testCodec, through } from '../../test/contracts/codec.ts';
import { createGzip } from './gzip.ts';

const never = new AbortController().signal;

for (const tool of ['igzip', 'pigz', 'gzip']) {
  testCodec(`gzip by ${tool}`, async () => createGzip({ path: await pathWithOnly(tool) }));
}
testCodec('gzip -6', () => createGzip({ level: 6 }));

test('is decoded into a descriptor by zstd where that reads gzip', async () => {
  assert.ok((await createGzip()).decodeTo);
  assert.equal((await createGzip({ path: await pathWithOnly('gzip') })).decodeTo, undefined);
});

test('output of every program is read by plain gunzip and by node', async () => {
  const plain = dumpLike(3_000_000);
  for (const tool of ['igzip', 'pigz', 'gzip']) {
    const codec = await createGzip({ path: await pathWithOnly(tool) });
    for (const bytes of [plain, Buffer.alloc(0)]) {
      const stored = await through(codec.encode(never), bytes);
      assert.ok(execFileSync('gunzip', ['-c'], { input: stored, maxBuffer: 2 ** 24 }).equals(bytes), tool);
      assert.ok(gunzipSync(stored).equals(bytes), tool);
    }
  }
});

test('a level igzip does not have is left to pigz', async () => {
  const text = dumpLike(3_000_000);
  const sizes = await Promise.all(
    [3, 9].map(async (level) => (await through((await createGzip({ level })).encode(never), text)).length),
  );
  assert.ok((sizes[1] ?? 0) < (sizes[0] ?? 0));
  await assert.rejects(createGzip({ level: 0 }), { code: 'CONFIG_INVALID' });
  await assert.rejects(createGzip({ level: 10 }), { code: 'CONFIG_INVALID' });
});

const made: string[] = [];
after(() => Promise.all(made.map((folder) => rm(folder, { recursive: true }))));

async function pathWithOnly(tool: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-path-'));
  made.push(folder);
  await symlink(execFileSync('which', [tool]).toString().trim(), join(folder, tool));
  return folder;
}
