import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { psql as query } from '../../support/postgres.ts';
import { composeText, run, type Stack, startStack } from '../../support/stack.ts';
import { docker, nastyPassword } from '../../support/testbed.ts';

const services = `
  db:
    image: postgres:17
    environment:
      POSTGRES_DB: shop
      POSTGRES_PASSWORD: ${composeText(nastyPassword)}
    volumes: [db-data:/var/lib/postgresql/data]
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s, retries: 60 }
  app:
    image: debian:trixie-slim
    command: sleep infinity
    init: true
    depends_on: { db: { condition: service_healthy } }
volumes:
  db-data:
`;

describe('PostgreSQL beside a sidecar', { concurrency: false }, () => {
  let stack: Stack;
  const db = () => `${stack.project}-db-1`;
  const psql = (sql: string) => query(`${stack.project}-db-1`, sql);
  const digest = () =>
    psql(
      'SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o; SELECT last_value FROM orders_id_seq',
    );
  const newest = async () =>
    JSON.parse((await stack.ok('list', 'db', '--json')).stdout).backups[0] as { id: string; short: string };
  const folderOf = (id: string) => join(stack.folder, 'backups', stack.project, 'db', 'postgres', id);

  before(async () => {
    stack = await startStack(services);
    await psql(
      'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(random()::text) FROM generate_series(1, 30000)',
    );
  });
  after(() => stack[Symbol.asyncDispose]());

  it('is found without a label, with what is not covered and why', async () => {
    const { sources, uncovered } = JSON.parse((await stack.ok('plan', '--json')).stdout);
    assert.deepEqual(
      sources.map(({ name }: { name: string }) => name),
      ['db/postgres'],
    );
    assert.deepEqual(
      sources[0].survey.items.map(({ name }: { name: string }) => name),
      ['globals', 'postgres', 'shop'],
    );
    assert.deepEqual(uncovered, []);
  });

  it('is backed up and restored by one command each, the app stopped and started around it', async () => {
    await using events = watchEvents();
    const good = await digest();
    const backup = await stack.ok('backup');
    assert.match(backup.stdout, /✔ backed up db\/postgres \(run \w{6}\)/);
    const { id, short } = await newest();
    assert.match((await stack.ok('show', short)).stdout, /pg_restore read every block/);
    assert.deepEqual((await readdir(folderOf(id))).sort(), [
      'globals.sql.zst',
      'manifest.json',
      'postgres.dump.zst',
      'shop.dump.zst',
    ]);

    await psql('DELETE FROM orders WHERE id % 2 = 0; CREATE TABLE later (x int)');
    const startedBefore = await docker('inspect', '-f', '{{.State.StartedAt}}', `${stack.project}-app-1`);
    // As it is written in the documentation: no "lifeboat", no --yes, no terminal.
    const restored = await run('docker', ['exec', `${stack.project}-sidecar-1`, 'restore', 'db']);
    assert.equal(restored.code, 0, restored.stderr);
    assert.equal(await digest(), good);
    assert.equal(await psql("SELECT count(*) FROM pg_tables WHERE tablename = 'later'"), '0');
    const [running, startedAfter] = (
      await docker('inspect', '-f', '{{.State.Running}} {{.State.StartedAt}}', `${stack.project}-app-1`)
    ).split(' ');
    assert.equal(running, 'true');
    assert.notEqual(startedAfter, startedBefore, 'the app was stopped and started');
    assert.deepEqual(await leftovers(stack.project, events), [], 'no container and no volume was left behind');

    const undo = /undo +(restore .*)/.exec(restored.stdout)?.[1]?.split(' ') ?? [];
    assert.equal((await run('docker', ['exec', `${stack.project}-sidecar-1`, ...undo])).code, 0);
    assert.equal(
      await psql("SELECT count(*) FROM pg_tables WHERE tablename = 'later'"),
      '1',
      'the line that was printed undid it',
    );
    await stack.ok('restore', 'db', '--at', short, '--yes');
    assert.equal(await digest(), good);
  });

  it('comes back into an empty server whose volume is gone', async () => {
    const good = await digest();
    await stack.ok('backup', 'db/postgres');
    await stack.compose('rm', '-sfv', 'db', 'app');
    await docker('volume', 'rm', `${stack.project}_db-data`);
    assert.equal((await stack.compose('up', '-d', '--wait')).code, 0);
    await assert.rejects(digest());
    await stack.ok('restore', 'db', '--yes');
    assert.equal(await digest(), good);
  });

  it('is restored by the lines of the manifest alone, without Lifeboat', async () => {
    const good = await digest();
    await stack.ok('backup');
    const { id } = await newest();
    const manifest = JSON.parse(await readFile(join(folderOf(id), 'manifest.json'), 'utf8')) as Manifest;
    const line = manifest.artifacts.find(({ name }) => name === 'shop')?.byHand ?? '';
    const ended = await run('sh', ['-c', `cd '${folderOf(id)}' && ${line}`]);
    assert.equal(ended.code, 0, ended.stderr);
    const byHand = await query(
      db(),
      'SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o; SELECT last_value FROM orders_id_seq',
      'restored_shop',
    );
    assert.equal(byHand, good);
  });

  it('restores beside the live database with --as, touching nothing', async () => {
    const app = () => docker('inspect', '-f', '{{.State.StartedAt}}', `${stack.project}-app-1`);
    const started = await app();
    await stack.ok('restore', 'db', '--as', 'shop_copy', '--database', 'shop');
    const counted = await query(db(), 'SELECT count(*) FROM orders', 'shop_copy');
    assert.equal(counted, '30000');
    assert.equal(await app(), started);
    const again = await stack.lifeboat('restore', 'db', '--as', 'shop_copy', '--database', 'shop');
    assert.notEqual(again.code, 0);
    assert.match(again.stderr, /exists already/);
  });

  it('fault 94: the password is in no output, log, manifest or inspect', async () => {
    const outputs = await Promise.all([
      stack.ok('plan'),
      stack.ok('backup'),
      stack.ok('list', '--json'),
      stack.lifeboat('restore', 'nothing'),
    ]);
    const { short } = await newest();
    const shown = await stack.ok('show', short, '--json');
    const logs = await stack.compose('logs');
    const files = await run('grep', ['-r', '-a', '-c', 'HOME%s', join(stack.folder, 'backups'), '--include=*.json']);
    const all = [...outputs, shown, logs].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    assert.doesNotMatch(all, /HOME%s/);
    assert.doesNotMatch(files.stdout, /:[1-9]/);
  });

  it('fault 74: a damaged backup is refused before anything is touched', async () => {
    const good = await digest();
    await stack.ok('backup');
    const { id, short } = await newest();
    const file = join(folderOf(id), 'shop.dump.zst');
    const bytes = await readFile(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    await run('sh', ['-c', `cat > '${file}'`], bytes);
    const ended = await stack.lifeboat('restore', 'db', '--at', short, '--yes');
    assert.equal(ended.code, 20, ended.stderr);
    assert.equal(await digest(), good);
    await rm(folderOf(id), { recursive: true });
  });

  it('fault 51: an empty folder where the destination was is refused', async () => {
    await run('sh', ['-c', `mv '${stack.folder}/backups/lifeboat.json' '${stack.folder}/aside'`]);
    const ended = await stack.lifeboat('backup');
    assert.notEqual(ended.code, 0);
    assert.match(ended.stderr, /used before, but its lifeboat.json is gone/);
    await run('sh', ['-c', `mv '${stack.folder}/aside' '${stack.folder}/backups/lifeboat.json'`]);
    await stack.ok('backup');
  });

  it('fault 19: a stopped server fails its backup with the next step, and no backup appears', async () => {
    const before = (await stack.ok('list', '--json')).stdout;
    await stack.compose('stop', '-t', '1', 'db');
    const ended = await stack.lifeboat('backup');
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /not running/);
    assert.match(ended.stderr, /docker compose up -d db/);
    await stack.compose('start', 'db');
    assert.equal((await stack.ok('list', '--json')).stdout, before);
  });

  it('answers mistakes with what to do', async () => {
    const typo = await stack.lifeboat('backup', 'bd');
    assert.equal(typo.code, 13);
    assert.match(typo.stderr, /did you mean db/);
    assert.equal((await stack.lifeboat('show', 'zzzzzz')).code, 13);
    assert.equal((await stack.lifeboat('restore', 'db', '--at', 'yesterday-ish')).code, 2);
    assert.equal((await stack.lifeboat('frobnicate')).code, 2);
  });
});
