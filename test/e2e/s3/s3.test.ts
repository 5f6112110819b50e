import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { psql as query } from '../../support/postgres.ts';
import { type Bucket, makeBucket } from '../../support/s3.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { runId } from '../../support/testbed.ts';

const services = `
  db:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: x, POSTGRES_DB: shop }
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s }
`;

describe('a sidecar that stores in S3', { concurrency: false }, () => {
  let stack: Stack;
  let bucket: Bucket;
  const psql = (sql: string) => query(`${stack.project}-db-1`, sql);
  const digest = () => psql('SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o');

  before(async () => {
    bucket = await makeBucket(`lifeboat-e2e-${runId}`);
    stack = await startStack(services, bucket.settings);
    await psql(
      'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(random()::text) FROM generate_series(1, 30000)',
    );
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
  });

  it('writes the local copy first and copies it, manifest last', async () => {
    await stack.ok('backup');
    const [entry] = JSON.parse((await stack.ok('list', '--json')).stdout).backups;
    assert.deepEqual(entry.destinations.toSorted(), ['local', 'offsite']);
    const stored = (await bucket.keys()).filter((key) => key.includes(entry.id)).map((key) => key.split('/').at(-1));
    assert.deepEqual(stored.toSorted(), ['globals.sql.zst', 'manifest.json', 'postgres.dump.zst', 'shop.dump.zst']);
  });

  it('restores from S3 when the local disk is lost', async () => {
    const good = await digest();
    await rm(join(stack.folder, 'backups', stack.project), { recursive: true });
    await psql('DELETE FROM orders WHERE id % 2 = 0');
    await stack.ok('restore', 'db', '--yes');
    assert.equal(await digest(), good);
  });

  it('streams straight to S3 when no local destination is wanted', async () => {
    const local = JSON.parse((await stack.ok('list', '--json')).stdout).backups.length;
    const ended = await stack.compose('exec', '-T', '-e', 'LIFEBOAT_TO=offsite', 'sidecar', 'lifeboat', 'backup');
    assert.equal(ended.code, 0, ended.stderr);
    const { backups } = JSON.parse((await stack.ok('list', '--json')).stdout);
    assert.equal(backups.length, local + 1);
    assert.deepEqual(backups[0].destinations, ['offsite']);
    await stack.ok('restore', 'db', '--at', backups[0].short, '--yes');
  });

  it('fault 65: one destination that fails makes the run degraded, not lost', async () => {
    const ended = await stack.compose(
      'exec',
      '-T',
      '-e',
      'LIFEBOAT_DEST_OFFSITE_SECRET_ACCESS_KEY=wrong-secret-wrong',
      'sidecar',
      'lifeboat',
      'backup',
    );
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, /not in offsite: /);
    assert.match(ended.stdout, /degraded: 1 of 1 sources saved/);
  });
});
