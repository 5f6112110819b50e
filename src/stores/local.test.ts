import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readlink,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { contentOf, keysOf, type StoreUnderTest, streamOf, testStore } from '../../test/contracts/store.ts';
import type { LifeboatError } from '../domain/errors.ts';
import { createLocalStore } from './local.ts';
import { manifestFile, type Store } from './store.ts';

const never = new AbortController().signal;
const text = (words: string) => Buffer.from(words);

testStore('local', freshStore);

const made: string[] = [];
after(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))));

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-local-'));
  made.push(folder);
  return folder;
}

async function freshStore(): Promise<StoreUnderTest & { root: string }> {
  const root = await freshFolder();
  return {
    root,
    store: createLocalStore({ root }),
    leftovers: () => leftoversIn(root),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

async function leftoversIn(root: string): Promise<string[]> {
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => /(^|\/)\.[^/]*\.(tmp|partial)$/.test(name));
}

async function publish(store: Store, id: string, content = id): Promise<void> {
  const draft = await store.draft(`shop/db/postgres/${id}`, never);
  await draft.put('a', text(content), {}, never);
  await draft.publish(text('{}'), never);
}

test('a draft is not seen at all before it is published', async () => {
  const { root, store } = await freshStore();
  const draft = await store.draft('shop/db/postgres/20261121-030000-k3f9a2', never);
  await draft.put('a', text('a'), {}, never);
  assert.deepEqual(await keysOf(store), []);
  assert.deepEqual(await store.folders('shop/db/postgres/', never), []);
  assert.deepEqual(await readdir(join(root, 'shop/db/postgres')), ['.20261121-030000-k3f9a2.partial']);
  await assert.rejects(store.draft('shop/db/postgres/20261121-030000-k3f9a2', never), { code: 'OBJECT_EXISTS' });
  await draft.discard();
  assert.deepEqual(await readdir(root), []);
});

test('latest points to the newest backup, whatever the order of publishing and removing', async () => {
  const { root, store } = await freshStore();
  const source = join(root, 'shop/db/postgres');
  const [old, newer, newest] = ['20261119-030000-aaaaaa', '20261120-030000-bbbbbb', '20261121-030000-cccccc'] as const;
  await publish(store, newer);
  await publish(store, old);
  assert.equal(await readlink(join(source, 'latest')), newer);
  await publish(store, newest);
  assert.equal(await readlink(join(source, 'latest')), newest);
  assert.ok((await keysOf(store)).every((key) => !key.includes('latest')));
  const files = [manifestFile, 'a'];
  for (const file of files) await store.remove(`shop/db/postgres/${newest}/${file}`, never);
  assert.equal(await readlink(join(source, 'latest')), newer);
  for (const id of [newer, old]) for (const file of files) await store.remove(`shop/db/postgres/${id}/${file}`, never);
  assert.deepEqual(await readdir(root), [], 'empty folders and the link are gone');
});

test('many published at once leave latest at the newest', async () => {
  const { root, store } = await freshStore();
  const ids = Array.from({ length: 20 }, (_, i) => `20261121-0300${10 + i}-aaaaaa`);
  await Promise.all(ids.map((id) => publish(store, id)));
  assert.equal(await readlink(join(root, 'shop/db/postgres/latest')), ids.at(-1));
  assert.deepEqual(await leftoversIn(root), []);
});

test('files and folders are closed to others', async () => {
  const { root, store } = await freshStore();
  await publish(store, '20261121-030000-k3f9a2');
  const modes = await Promise.all(
    ['shop', 'shop/db/postgres/20261121-030000-k3f9a2', 'shop/db/postgres/20261121-030000-k3f9a2/a'].map(
      async (path) => (await stat(join(root, path))).mode & 0o777,
    ),
  );
  assert.deepEqual(
    modes.map((mode) => mode & 0o007),
    [0, 0, 0],
  );
});

test('what a killed writer left unfinished in a draft is gone when it is taken up', async () => {
  const { root, store } = await freshStore();
  const prefix = 'shop/db/postgres/20261121-030000-k3f9a2';
  const killed = await store.draft(prefix, never);
  await killed.put('a', text('a'), {}, never);
  const partial = join(root, 'shop/db/postgres/.20261121-030000-k3f9a2.partial');
  await writeFile(join(partial, `.lifeboat-${'0'.repeat(16)}.tmp`), 'half an artifact');
  await writeFile(join(partial, manifestFile), '{"published":"never"}');
  const next = await store.draft(prefix, never, { resume: true });
  assert.deepEqual(await readdir(partial), ['a']);
  await next.publish(text('{}'), never);
  assert.deepEqual((await readdir(join(root, prefix))).sort(), ['a', manifestFile]);
});

test('fault 50: a full disk fails the put cleanly at 0, 50 and 99 % and leaves the rest untouched', async (t) => {
  const { store, root } = await mounted(t, 'size=8m');
  await store.put('kept', randomBytes(1_000_000), {}, never);
  const free = (await store.freeBytes(never)) ?? 0;
  assert.ok(free > 5_000_000 && free < 8_000_000);
  for (const size of [free + 1, free * 1.5, free * 100]) {
    await assert.rejects(store.put('new', streamOf(Math.ceil(size)), {}, never), fullError);
    await assert.rejects(store.put('kept', streamOf(Math.ceil(size)), {}, never), fullError);
  }
  assert.equal((await contentOf(store, 'kept')).length, 1_000_000);
  assert.deepEqual(await keysOf(store), ['kept']);
  assert.deepEqual(await leftoversIn(root), []);
  assert.equal(await store.freeBytes(never), free);
});

test('fault 50: a disk that fills up in a draft leaves the published backups and no partial folder', async (t) => {
  const { store, root } = await mounted(t, 'size=8m');
  await publish(store, '20261121-030000-aaaaaa');
  const draft = await store.draft('shop/db/postgres/20261121-040000-bbbbbb', never);
  await draft.put('a', streamOf(3_000_000), {}, never);
  await assert.rejects(draft.put('b', streamOf(9_000_000), {}, never), fullError);
  await draft.discard();
  assert.deepEqual(await leftoversIn(root), []);
  assert.equal((await keysOf(store)).length, 2);
  await publish(store, '20261121-050000-cccccc');
});

test('fault 50: no inode left for the manifest is a full disk too', async (t) => {
  const { store, root } = await mounted(t, 'size=8m,nr_inodes=9');
  const draft = await store.draft('s/d/p/20261121-040000-bbbbbb', never);
  await draft.put('a', text('a'), {}, never);
  await draft.put('b', text('b'), {}, never);
  await assert.rejects(
    (async () => {
      for (const name of ['c', 'd', 'e']) await draft.put(name, text(name), {}, never);
      await draft.publish(text('{}'), never);
    })(),
    fullError,
  );
  await draft.discard();
  assert.deepEqual(await readdir(root), []);
});

test('fault 51: a read-only destination is refused with the place named, and can still be read', async (t) => {
  const { store, root } = await mounted(t, 'size=8m');
  await publish(store, '20261121-030000-aaaaaa');
  execFileSync('mount', ['-o', 'remount,ro', root]);
  for (const attempt of [
    () => store.put('x', text('x'), {}, never),
    () => store.draft('shop/db/postgres/20261121-040000-bbbbbb', never),
    () => store.remove('shop/db/postgres/20261121-030000-aaaaaa/a', never),
  ]) {
    await assert.rejects(attempt(), (error: LifeboatError) => {
      assert.equal(error.code, 'STORE_UNAVAILABLE');
      assert.match(error.message, /EROFS/);
      assert.match(error.hint ?? '', /read-only/);
      assert.ok(error.message.includes(root));
      return true;
    });
  }
  assert.equal((await keysOf(store)).length, 2);
});

test('fault 51: a destination that is not there is never made', async () => {
  const root = join(await freshFolder(), 'not-mounted');
  const store = createLocalStore({ root });
  for (const attempt of [
    () => store.put('x', text('x'), {}, never),
    () => store.draft('a/b/c/d', never),
    () => store.get('x', never),
    () => keysOf(store),
    () => store.folders('', never),
    () => store.remove('x', never),
    () => store.sweep(0, never),
    () => store.freeBytes(never),
  ]) {
    await assert.rejects(attempt(), { code: 'STORE_UNAVAILABLE', hint: /is the disk mounted\?.*lifeboat-local-/ });
  }
  await assert.rejects(stat(root), { code: 'ENOENT' });
});

test('a folder that belongs to somebody else is named with owner and mode', async () => {
  if (process.getuid?.() !== 0) throw new Error('this test gives up root on purpose: run it as root');
  const root = await freshFolder();
  await chmod(root, 0o755);
  process.seteuid?.(65534);
  try {
    await assert.rejects(createLocalStore({ root }).put('x', text('x'), {}, never), {
      code: 'STORE_UNAVAILABLE',
      message: /EACCES/,
      hint: /runs as uid 65534, gid 0.*uid 0, gid 0, mode 0755/,
    });
  } finally {
    process.seteuid?.(0);
  }
});

test('fault 57: a disk that does not keep what it was given is found out by reading back', async () => {
  const { root, store } = await freshStore();
  const damaging = Readable.from(
    (async function* () {
      yield randomBytes(100_000);
      await sleep(50);
      const [temporary = ''] = await leftoversIn(root);
      const handle = await open(join(root, temporary), 'r+');
      await handle.write('flipped', 70);
      await handle.close();
      yield randomBytes(100_000);
    })(),
  );
  await assert.rejects(store.put('a', damaging, {}, never), { code: 'ARTIFACT_CORRUPT', message: /read back/ });
  assert.deepEqual(await readdir(root), []);
});

test('a file that becomes shorter while it is read fails the reader', async () => {
  const { root, store } = await freshStore();
  await store.put('big', streamOf(4_000_000), {}, never);
  const stream = await store.get('big', never);
  let bytes = 0;
  const read = (async () => {
    for await (const chunk of stream) {
      bytes += chunk.length;
      await truncate(join(root, 'big'), 3_000_000);
    }
  })();
  await assert.rejects(read, { code: 'ARTIFACT_CORRUPT' });
  assert.ok(bytes <= 3_000_000);
});

test('fault 54: sweep takes what a killed process left, and not what one still writes', async () => {
  const { root, store } = await freshStore();
  await publish(store, '20261121-030000-aaaaaa');
  const source = join(root, 'shop/db/postgres');
  const script = `
    import { createLocalStore } from ${JSON.stringify(new URL('./local.ts', import.meta.url).href)};
    const store = createLocalStore({ root: ${JSON.stringify(root)} });
    const signal = new AbortController().signal;
    const draft = await store.draft('shop/db/postgres/20261121-040000-bbbbbb', signal);
    await draft.put('a', Buffer.from('half'), {}, signal);
    const endless = async function* () { for (;;) { yield Buffer.alloc(65536); await new Promise((r) => setTimeout(r, 1)); } };
    const { Readable } = await import('node:stream');
    await Promise.all([draft.put('b', Readable.from(endless()), {}, signal), store.put('.leases/x.json', Readable.from(endless()), {}, signal)]);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
  while ((await leftoversIn(root)).length < 3) await sleep(20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal((await leftoversIn(root)).length, 3);
  assert.equal((await keysOf(store)).length, 2);
  assert.deepEqual(await store.sweep(60_000, never), []);
  await sleep(1500);
  const fresh = await store.draft('shop/db/postgres/20261121-050000-cccccc', never);
  await fresh.put('a', text('being written'), {}, never);
  const swept = await store.sweep(1000, never);
  assert.deepEqual(
    swept.toSorted().map((name) => name.replace(/[0-9a-f]{16}/, '…')),
    ['.leases/.lifeboat-….tmp', 'shop/db/postgres/.20261121-040000-bbbbbb.partial'],
  );
  await fresh.publish(text('{}'), never);
  assert.deepEqual((await readdir(source)).toSorted(), ['20261121-030000-aaaaaa', '20261121-050000-cccccc', 'latest']);
});

test('sweep spares what others keep in the destination', async () => {
  const { root, store } = await freshStore();
  const spared = ['.restic/shop/tmp', 'shop/app/files/20261121-030000-aaaaaa/tree'];
  for (const folder of spared) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, folder, '.lifeboat-0123456789abcdef.tmp'), "somebody's file");
  }
  await writeFile(join(root, 'shop/app/files/20261121-030000-aaaaaa', manifestFile), '{}');
  await mkdir(join(root, 'lost+found'));
  await symlink('/etc', join(root, 'shop/link'));
  assert.deepEqual(await store.sweep(-1000, never), []);
  assert.deepEqual(await keysOf(store), [`shop/app/files/20261121-030000-aaaaaa/${manifestFile}`]);
  assert.deepEqual((await store.folders('', never)).toSorted(), ['.restic', 'shop']);
});

test('a draft whose folder was swept away under it cannot be published', async () => {
  const { root, store } = await freshStore();
  const draft = await store.draft('shop/db/postgres/20261121-030000-aaaaaa', never);
  await draft.put('a', text('a'), {}, never);
  await store.sweep(-1000, never);
  await assert.rejects(draft.put('b', text('b'), {}, never), { code: 'STORE_UNAVAILABLE' });
  await assert.rejects(draft.publish(text('{}'), never), { code: 'STORE_UNAVAILABLE' });
  await draft.discard();
  assert.deepEqual(await readdir(root), []);
});

test('an open stream that nobody reads holds no file after it is closed', async () => {
  const { store } = await freshStore();
  await store.put('a', text('a'), {}, never);
  const openFiles = async () => (await readdir('/proc/self/fd')).length;
  const before = await openFiles();
  for (let i = 0; i < 20; i++) {
    const stream = await store.get('a', never);
    await new Promise((resolve) => stream.once('close', resolve).destroy());
    await assert.rejects(store.put('b', Readable.from([]).destroy(), {}, never));
  }
  assert.ok((await openFiles()) <= before + 1);
});

const fullError = (error: LifeboatError): boolean => {
  assert.equal(error.code, 'STORE_FULL');
  assert.match(error.hint ?? '', /free space/);
  return true;
};

/** A store on a small file system of its own. */
async function mounted(t: { after(fn: () => void): void }, options: string): Promise<{ store: Store; root: string }> {
  if (process.getuid?.() !== 0) throw new Error('the disk-full tests mount a tmpfs: run them as root');
  const root = await freshFolder();
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', root]);
  t.after(() => {
    execFileSync('umount', [root]);
  });
  return { store: createLocalStore({ root }), root };
}
