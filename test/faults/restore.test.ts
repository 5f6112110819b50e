import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
import { docker, eventually } from '../support/testbed.ts';

describe('a restore', { concurrency: false }, () => {
  let stack: SmallStack;
  let shared: string;
  before(async () => {
    stack = await startSmallStack();
    shared = await mkdtemp(join(tmpdir(), 'lifeboat-shared-'));
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    await rm(shared, { recursive: true });
  });
  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  const listed = async (home: Home) =>
    (JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: { id: string; stack: string }[] })
      .backups;

  it('fault 78: takes no backup of another stack of the same names, unless its id is typed, and says whose it is', async () => {
    await using other = await startSmallStack();
    const settings = { LIFEBOAT_DEST_LOCAL_URL: `file://${shared}` };
    await using home = await makeHome(stack.project, settings);
    await using others = await makeHome(other.project, settings);
    good(await others.lifeboat(['backup']));
    const [foreign] = await listed(others);
    assert.ok(foreign);
    await stack.psql('DELETE FROM orders WHERE id > 10');
    const refused = await home.lifeboat(['restore', 'db', '--yes']);
    assert.equal(refused.code, 13, refused.stderr);
    assert.match(refused.stderr, /there is no backup of db\/postgres/);
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '10');
    const dry = await home.lifeboat(['restore', 'db', '--at', foreign.id, '--dry-run']);
    good(dry);
    const doubt = `backup ${foreign.id.slice(-6)} is of db/postgres in stack ${other.project}, and goes into db/postgres in stack ${stack.project}`;
    assert.ok(dry.stderr.includes(doubt), dry.stderr);
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '10');
    good(await home.lifeboat(['restore', 'db', '--at', foreign.id, '--yes']));
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
  });

  it('fault 79: throws out an app that is still connected and writes', async () => {
    await using home = await makeHome(stack.project);
    good(await home.lifeboat(['backup']));
    const script =
      "DO $$ BEGIN LOOP INSERT INTO orders VALUES (-1, 'late'); COMMIT; PERFORM pg_sleep(0.01); END LOOP; END $$";
    const writing = docker('exec', stack.db, 'psql', '-Xq', '-U', 'postgres', 'shop', '-c', script).then(
      () => 'it went on',
      (error: { stderr?: string }) => String(error.stderr),
    );
    await eventually(async () => assert.notEqual(await stack.psql('SELECT count(*) FROM orders WHERE id = -1'), '0'));
    good(await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']));
    assert.match(await writing, /terminating connection/);
    assert.equal(await stack.psql('SELECT count(*), count(*) FILTER (WHERE id = -1) FROM orders'), '1000|0');
    assert.equal(await stack.psql("SELECT datallowconn FROM pg_database WHERE datname = 'shop'"), 't');
  });

  it('fault 77: saves what it replaces before, also a database that was excluded since', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_POSTGRES_EXCLUDE_DATABASES: 'shop' });
    await using earlier = await makeHome(stack.project, {
      LIFEBOAT_DEST_LOCAL_URL: `file://${home.folder}/backups`,
    });
    good(await earlier.lifeboat(['backup']));
    await stack.psql('DELETE FROM orders WHERE id > 10');
    const restored = await home.lifeboat(['restore', 'db', '--database=shop', '--yes']);
    good(restored);
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
    const undo = /undo +(restore .*)/.exec(restored.stdout)?.[1]?.split(' ') ?? assert.fail(restored.stdout);
    good(await home.lifeboat([...undo, '--yes', '--no-safety-backup']));
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '10');
  });
});
