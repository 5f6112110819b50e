import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contentOf, keysOf } from '../../test/contracts/store.ts';
import { createLocalStore } from './local.ts';
import { markerFile, openMarked } from './marker.ts';
import { createMemoryStore } from './memory.ts';
import type { Store } from './store.ts';

const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);
const first = { known: false, lifeboat: '0.1.0', now: new Date('2026-11-21T03:00:00Z') };
const later = { ...first, known: true };

test('an empty destination is marked at its first use, and recognised from then on', async () => {
  const store = createMemoryStore();
  const made = await openMarked(store, first, never);
  assert.ok(made.created);
  assert.equal(made.marker.createdAt, '2026-11-21T03:00:00.000Z');
  assert.deepEqual(JSON.parse(String(await contentOf(store, markerFile))), made.marker);
  for (const options of [first, later]) {
    assert.deepEqual(await openMarked(store, options, never), { marker: made.marker, created: false });
  }
});

test('fault 61: a destination used before that lost its marker is refused, empty or not', async () => {
  const store = createMemoryStore();
  await assert.rejects(openMarked(store, later, never), {
    code: 'STORE_UNMARKED',
    message: /was used before/,
    hint: /mounted.*prefix/,
  });
  assert.deepEqual(await keysOf(store), []);
});

test('a new destination that holds something else is refused', async () => {
  const store = createMemoryStore();
  await store.put('holiday/pictures.tar', text('x'), {}, never);
  await assert.rejects(openMarked(store, first, never), { code: 'STORE_UNMARKED', hint: /holiday\/pictures\.tar/ });
  assert.deepEqual(await keysOf(store), ['holiday/pictures.tar']);
});

test('fault 51: a disk that was unmounted is refused, and accepted when it is back', async (t) => {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a tmpfs: run it as root');
  const root = await mkdtemp(join(tmpdir(), 'lifeboat-marker-'));
  t.after(() => rm(root, { recursive: true }));
  const disk = await mkdtemp(join(tmpdir(), 'lifeboat-disk-'));
  t.after(() => rm(disk, { recursive: true }));
  execFileSync('mount', ['--bind', disk, root]);
  const store = createLocalStore({ root });
  const { marker } = await openMarked(store, first, never);
  execFileSync('umount', [root]);
  await assert.rejects(openMarked(store, later, never), { code: 'STORE_UNMARKED' });
  assert.deepEqual(await readdir(root), [], 'nothing was written to the folder below');
  execFileSync('mount', ['--bind', disk, root]);
  try {
    assert.deepEqual((await openMarked(store, later, never)).marker, marker);
  } finally {
    execFileSync('umount', [root]);
  }
});

test('two that mark at once agree on one marker', async () => {
  const store = createMemoryStore();
  const both = await Promise.all([openMarked(store, first, never), openMarked(store, first, never)]);
  assert.equal(both[0].marker.repository, both[1].marker.repository);
  assert.equal(both.filter(({ created }) => created).length, 1);
});

test('a damaged marker and one of a newer format are told apart', async () => {
  for (const [content, expected] of [
    ['{"format":', { code: 'ARTIFACT_CORRUPT', message: /damaged/ }],
    ['{"format":1}', { code: 'ARTIFACT_CORRUPT', message: /damaged/ }],
    ['{"format":2,"other":true}', { code: 'STORE_UNMARKED', message: /format 2/ }],
  ] as const) {
    const store: Store = createMemoryStore();
    await store.put(markerFile, text(content), {}, never);
    await assert.rejects(openMarked(store, first, never), expected);
    assert.equal(String(await contentOf(store, markerFile)), content);
  }
});
