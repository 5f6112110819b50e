import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';

describe('a backup that lies in two destinations', { concurrency: false }, () => {
  let stack: SmallStack;
  let home: Home;
  before(async () => {
    stack = await startSmallStack();
    home = await makeHome(stack.project, (folder) => {
      mkdirSync(join(folder, 'second'));
      return { LIFEBOAT_DEST_SECOND_URL: `file://${folder}/second` };
    });
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  const rows = () => stack.psql('SELECT count(*) FROM orders');
  const artifact = async (destination: string) => {
    const root = join(home.folder, destination);
    const found = await readdir(root, { recursive: true });
    const [file] = found.filter((name) => /\/\d{8}-[^/]*\/shop\.dump\.zst$/.test(name)).sort();
    assert.ok(file, `an artifact in ${destination}`);
    return join(root, file);
  };
  /** One bit in the middle. */
  const damage = async (path: string) => {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, size >> 1);
    await file.write(
      byte.map((value) => value ^ 1),
      0,
      1,
      size >> 1,
    );
  };
  const restore = () => home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']);

  it('fault 74: is restored from the second copy when the first is damaged, which is told', async () => {
    good(await home.lifeboat(['backup']));
    await stack.psql('DELETE FROM orders WHERE id > 10');
    await damage(await artifact('backups'));
    const ended = await restore();
    good(ended);
    assert.match(ended.stderr, /the copy in local is damaged: .*; taking the one in second/);
    assert.equal(await rows(), '1000');
  });

  it('fault 74: the same when the artifact is gone, or the whole destination', async () => {
    await stack.psql('DELETE FROM orders WHERE id > 10');
    await rm(await artifact('backups'));
    const gone = await restore();
    good(gone);
    assert.match(gone.stderr, /the copy in local is damaged: there is no file/);
    assert.equal(await rows(), '1000');
    await stack.psql('DELETE FROM orders WHERE id > 10');
    await rename(join(home.folder, 'backups'), join(home.folder, 'unmounted'));
    const away = await restore();
    good(away);
    assert.match(away.stderr, /backups in local are left out/);
    assert.equal(await rows(), '1000');
    await rename(join(home.folder, 'unmounted'), join(home.folder, 'backups'));
  });

  it('fault 74: is refused when no copy is whole, and nothing is touched', async () => {
    await stack.psql('DELETE FROM orders WHERE id > 10');
    await damage(await artifact('second'));
    const ended = await restore();
    assert.equal(ended.code, 20, ended.stderr);
    assert.match(
      ended.stderr,
      /no copy of backup \w{6} is whole: the copy in local is damaged.*the copy in second is damaged/,
    );
    assert.match(ended.stderr, /--at/);
    assert.equal(await rows(), '10');
    assert.equal(await stack.appState(), 'running');
  });
});
