import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { psql as query } from '../../support/postgres.ts';
import { composeText, type Stack, startStack } from '../../support/stack.ts';
import { docker, everyVersion, nastyPassword } from '../../support/testbed.ts';

const services = `
  db:
    image: postgres:17
    environment:
      POSTGRES_DB: shop
      POSTGRES_PASSWORD: ${composeText(nastyPassword)}
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s, retries: 60 }
`;

for (const codec of everyVersion ? ['zstd', 'gzip', 'none'] : ['zstd']) {
  describe(`PostgreSQL through named pipes, stored as ${codec}`, { concurrency: false }, () => {
    let stack: Stack;
    const psql = (sql: string) => query(`${stack.project}-db-1`, sql);
    const digest = () => psql('SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o');
    const newest = async () => {
      const { id } = JSON.parse((await stack.ok('list', 'db', '--json')).stdout).backups[0];
      return JSON.parse((await stack.ok('show', id, '--json')).stdout).manifest as Manifest;
    };

    before(async () => {
      stack = await startStack(services, { LIFEBOAT_PATH: 'pipe', LIFEBOAT_CODEC: codec });
      await psql(
        'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(random()::text) FROM generate_series(1, 200000)',
      );
    });
    after(() => stack[Symbol.asyncDispose]());

    it('gives back every row and leaves nothing on the Engine', async () => {
      const good = await digest();
      await using events = watchEvents();
      for (let i = 0; i < 3; i += 1) await stack.ok('backup');
      assert.deepEqual(await leftovers(stack.project, events), []);
      const manifest = await newest();
      assert.equal(manifest.path.taken, 'pipe', manifest.path.why);
      const shop = manifest.artifacts.find(({ name }) => name === 'shop');
      assert.ok(shop && shop.plainBytes > 5_000_000, `${shop?.plainBytes} plain bytes`);
      assert.equal(await docker('exec', `${stack.project}-sidecar-1`, 'ls', '/run/lifeboat'), '');
      await psql('DELETE FROM orders WHERE id % 2 = 0');
      const { stdout } = await stack.ok('restore', 'db', '--yes', '--json');
      assert.match(stdout, /"step":"stage","detail":"database shop by \d jobs at once"/);
      assert.equal(await digest(), good);
      assert.deepEqual(await leftovers(stack.project, events), []);
      assert.equal(await docker('exec', `${stack.project}-sidecar-1`, 'ls', '/run/lifeboat'), '');
    });

    it('falls back to exec and says why when a helper cannot log in', async () => {
      await docker('exec', `${stack.project}-db-1`, 'sh', '-c', `sed -i 's/^host/#host/' "$PGDATA/pg_hba.conf"`);
      await psql('SELECT pg_reload_conf()');
      await stack.ok('backup');
      const { path } = await newest();
      assert.equal(path.taken, 'exec');
      assert.match(path.why, /a helper cannot log in: .*no pg_hba.conf entry/);
      const good = await digest();
      await psql('DELETE FROM orders WHERE id % 3 = 0');
      await stack.ok('restore', 'db', '--yes');
      assert.equal(await digest(), good, 'restored without a helper as well');
    });
  });
}

describe('fault 50: PostgreSQL beside a sidecar whose volume for helpers is full', { concurrency: false }, () => {
  let stack: Stack;
  const psql = (sql: string) => query(`${stack.project}-db-1`, sql);

  before(async () => {
    const small = `volumes:\n  sidecar-run: { driver_opts: { type: tmpfs, device: tmpfs, o: size=4m } }\n`;
    stack = await startStack(`${services}${small}`, { LIFEBOAT_PATH: 'pipe' });
    await psql('CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 200000) i');
  });
  after(() => stack[Symbol.asyncDispose]());

  it('is restored from the stream', async () => {
    await stack.ok('backup');
    await psql('DELETE FROM orders');
    const { stdout } = await stack.ok('restore', 'db', '--yes', '--json');
    assert.match(stdout, /"step":"stage","detail":"database shop"/);
    assert.equal(await psql('SELECT count(*) FROM orders'), '200000');
  });
});
