import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { memoryFile } from './memory-file.ts';

test('remembers facts, also when several are told at once; one that is cut short is lost', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-memory-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'data', 'destinations.json');
  const memory = memoryFile<string>(file);
  await Promise.all(['a', 'b', 'c'].map((name) => memory.set(`file:///${name}`, name)));
  const again = memoryFile<string>(file);
  const names = ['a', 'b', 'c', 'd', 'toString'];
  assert.deepEqual(await Promise.all(names.map((name) => again.get(name === 'toString' ? name : `file:///${name}`))), [
    'a',
    'b',
    'c',
    undefined,
    undefined,
  ]);
  await writeFile(file, '{"file:///a": ');
  assert.equal(await memoryFile(file).get('file:///a'), undefined, 'cut short by a power failure');
});

test('one that cannot be written says so, and is tried again', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-memory-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'data', 'x.json');
  await mkdir(`${file}.tmp`, { recursive: true });
  const memory = memoryFile<string>(file);
  await assert.rejects(memory.set('a', '1'), { code: 'EISDIR' });
  await rm(`${file}.tmp`, { recursive: true });
  await memory.set('b', '2');
  assert.equal(await memoryFile(file).get('b'), '2');
});
