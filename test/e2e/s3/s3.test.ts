import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import s3 from '@aws-sdk/client-s3';
import { type Stack, startStack } from '../../support/stack.ts';
import { dockerWithInput, runId } from '../../support/testbed.ts';

const services = `
  db:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: x, POSTGRES_DB: shop }
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s }
`;

/** The address of the S3 server, for us and for containers, as the testbed prints it. */
async function s3Server(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)('bash', [join(import.meta.dirname, '../../../testbed/ceph.sh'), 'up']);
  const lines = stdout.matchAll(/^export LIFEBOAT_TESTBED_S3_([A-Z_]+)=['"]?([^'"\n]*)['"]?$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}

describe('a sidecar that stores in S3', { concurrency: false }, () => {
  const bucket = `lifeboat-e2e-${runId}`;
  let stack: Stack;
  let client: InstanceType<typeof s3.S3Client>;
  const psql = (sql: string) =>
    dockerWithInput(
      sql,
      'exec',
      '-i',
      `${stack.project}-db-1`,
      'psql',
      '-X',
      '-q',
      '-A',
      '-t',
      '-U',
      'postgres',
      'shop',
    );
  const digest = () => psql('SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o');
  const keys = async () => {
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key ?? '');
  };

  before(async () => {
    const server = await s3Server();
    const credentials = { accessKeyId: server.ACCESS_KEY ?? '', secretAccessKey: server.SECRET_KEY ?? '' };
    client = new s3.S3Client({
      endpoint: server.ENDPOINT ?? '',
      region: server.REGION ?? '',
      forcePathStyle: true,
      credentials,
    });
    await client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
    const url = `s3://${bucket}/prod?region=${server.REGION}&endpoint=${encodeURIComponent(server.CONTAINER_ENDPOINT ?? '')}&path-style=true`;
    stack = await startStack(services, {
      LIFEBOAT_DEST_OFFSITE_URL: url,
      LIFEBOAT_DEST_OFFSITE_ACCESS_KEY_ID: credentials.accessKeyId,
      LIFEBOAT_DEST_OFFSITE_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    });
    await psql(
      'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(random()::text) FROM generate_series(1, 30000)',
    );
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    for (const Key of await keys()) await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key }));
    await client.send(new s3.DeleteBucketCommand({ Bucket: bucket }));
  });

  it('writes the local copy first and copies it, manifest last', async () => {
    await stack.ok('backup');
    const [entry] = JSON.parse((await stack.ok('list', '--json')).stdout).backups;
    assert.deepEqual(entry.destinations.toSorted(), ['local', 'offsite']);
    const stored = (await keys()).filter((key) => key.includes(entry.id)).map((key) => key.split('/').at(-1));
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
