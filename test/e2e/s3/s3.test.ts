import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { psql as query } from '../../support/postgres.ts';
import { type Bucket, makeBucket } from '../../support/s3.ts';
import { composeText, database, type Stack, startStack } from '../../support/stack.ts';
import { runId } from '../../support/testbed.ts';

/**
 * What a cloud has beside the server: the metadata service that hands a machine the keys of its role (its second version,
 * as far as it is asked), and the bucket as a host of its own.
 */
function cloud({ name, endpoint, login }: Bucket): string {
  const role = {
    ...{ Code: 'Success', Type: 'AWS-HMAC', Token: '' },
    ...{ AccessKeyId: login.accessKeyId, SecretAccessKey: login.secretAccessKey },
  };
  const { hostname, port } = new URL(endpoint);
  const program = `
    require('node:http').createServer(({ method, url, headers }, answer) => {
      if (method === 'PUT' && url === '/latest/api/token') return answer.end('a-token');
      if (headers['x-aws-ec2-metadata-token'] !== 'a-token') return answer.writeHead(401).end();
      if (url.endsWith('/security-credentials/')) return answer.end('backup-role');
      if (!url.endsWith('/security-credentials/backup-role')) return answer.writeHead(404).end();
      const Expiration = new Date(Date.now() + 3600000).toISOString();
      answer.end(JSON.stringify({ ...${JSON.stringify(role)}, LastUpdated: new Date().toISOString(), Expiration }));
    }).listen(80);
    const net = require('node:net');
    net.createServer((client) => {
      const server = net.connect(${port}, '${hostname}');
      for (const socket of [client, server]) socket.on('error', () => { client.destroy(); server.destroy(); });
      client.pipe(server).pipe(client);
    }).listen(8080);`;
  return `
  cloud:
    image: node:26-trixie-slim
    init: true
    command: [node, -e, ${composeText(program)}]
    networks: { default: { aliases: ["${name}.localhost"] } }
`;
}

describe('a sidecar that stores in S3', { concurrency: false }, () => {
  let stack: Stack;
  let bucket: Bucket;
  const psql = (sql: string) => query(`${stack.project}-db-1`, sql);
  const digest = () => psql('SELECT count(*), md5(string_agg(o::text, chr(10) ORDER BY id)) FROM orders o');

  before(async () => {
    bucket = await makeBucket(`lifeboat-e2e-${runId}`);
    stack = await startStack(database + cloud(bucket), bucket.settings);
    await psql(
      'CREATE TABLE orders (id bigserial PRIMARY KEY, note text); INSERT INTO orders (note) SELECT md5(random()::text) FROM generate_series(1, 30000)',
    );
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
  });

  it('copies what lies in the local destination, all of it', async () => {
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

  it('takes the keys of the role of the machine when it is given none', async () => {
    const url = String(bucket.settings.LIFEBOAT_DEST_OFFSITE_URL).replace('/prod?', '/by-role?');
    const variables = {
      LIFEBOAT_TO: 'role',
      LIFEBOAT_DEST_ROLE_URL: url,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: 'http://cloud',
    };
    const given = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const ended = await stack.compose('exec', '-T', ...given, 'sidecar', 'lifeboat', 'backup');
    assert.equal(ended.code, 0, ended.stderr);
    const stored = (await bucket.keys()).filter((key) => key.startsWith('by-role/') && key.endsWith('manifest.json'));
    assert.equal(stored.length, 1);
  });

  it('finds the bucket as a host of its own where that is the style', async () => {
    const url = `s3://${bucket.name}/by-host?endpoint=http%3A%2F%2Flocalhost%3A8080&path-style=false`;
    const variables = {
      LIFEBOAT_TO: 'host',
      LIFEBOAT_DEST_HOST_URL: url,
      LIFEBOAT_DEST_HOST_ACCESS_KEY_ID: bucket.login.accessKeyId,
      LIFEBOAT_DEST_HOST_SECRET_ACCESS_KEY: bucket.login.secretAccessKey,
    };
    const given = Object.entries(variables).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const ended = await stack.compose('exec', '-T', ...given, 'sidecar', 'lifeboat', 'backup');
    assert.equal(ended.code, 0, ended.stderr);
    const stored = (await bucket.keys()).filter((key) => key.startsWith('by-host/') && key.endsWith('manifest.json'));
    assert.equal(stored.length, 1);
  });

  it('says which keys it looked for where there are none', async () => {
    const url = String(bucket.settings.LIFEBOAT_DEST_OFFSITE_URL).replace('/prod?', '/nobody?');
    const given = ['-e', `LIFEBOAT_DEST_NOBODY_URL=${url}`, '-e', 'LIFEBOAT_TO=nobody'];
    const unset = ['-e', 'AWS_EC2_METADATA_DISABLED=true'];
    const ended = await stack.compose('exec', '-T', ...given, ...unset, 'sidecar', 'lifeboat', 'backup');
    assert.equal(ended.code, 1, ended.stdout);
    assert.match(ended.stderr, /in bucket lifeboat-e2e-.*[\s\S]*set the key variables of this destination/);
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
    assert.match(ended.stdout, /! backed up \S+, but not in every destination/);
  });
});
