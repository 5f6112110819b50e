import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { app, damage, fingerprint, inApp, nasty } from '../../engines/files/tree.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { type Bucket, makeBucket } from '../../support/s3.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { docker, dockerWithInput, runId } from '../../support/testbed.ts';

const services = (image: string) => `
  app:
    image: ${image}
    command: ["sleep", "infinity"]
    init: true
    stop_grace_period: 1s
    healthcheck: { test: ["CMD", "true"], interval: 1s, retries: 60 }
    labels: { lifeboat.files: all, lifeboat.files.exclude: "*.tmp" }
    tmpfs: [/scratch]
    volumes: ["uploads:/app/uploads", "data:/data", "./compose.yaml:/app/compose.yaml"]
  worker:
    image: ${image}
    command: ["sleep", "infinity"]
    init: true
    stop_grace_period: 1s
    healthcheck: { test: ["CMD", "true"], interval: 1s, retries: 60 }
    labels: { lifeboat.enable: "false" }
    volumes: ["uploads:/work", "data:/data"]
volumes:
  data:
  uploads:
`;

describe('files of volumes', { concurrency: false }, () => {
  let stack: Stack;
  let bucket: Bucket;
  const name = () => `${stack.project}-app-1`;
  const facts = async () => {
    const all = await inApp(name(), fingerprint, '/app/uploads/tree');
    return `${all}\n${await docker('exec', name(), 'stat', '-c', '%a %u:%g', '/app/uploads')}`;
  };
  const sql = (text: string) =>
    dockerWithInput(
      `const { DatabaseSync } = require('node:sqlite'); console.log(JSON.stringify(new DatabaseSync('/app/uploads/app.db').prepare(${JSON.stringify(text)}).all()))`,
      ...['exec', '-i', '-u', '0', name(), 'node', '--no-warnings', '-'],
    );

  before(async () => {
    bucket = await makeBucket(`lifeboat-files-${runId}`);
    stack = await startStack(services(await app()), bucket.settings);
    await inApp(name(), 'mkdir /app/uploads/tree');
    await inApp(name(), nasty, '/app/uploads/tree');
    await sql('CREATE TABLE t (x)');
  });
  after(async () => {
    await stack?.[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
  });

  it('are planned with a reason for each that is left out', async () => {
    const plan = JSON.parse((await stack.ok('plan', '--json')).stdout);
    const source = plan.sources.find((each: { name: string }) => each.name === 'app/files');
    assert.deepEqual(
      source.survey.items.map((item: { name: string }) => item.name),
      ['/app/uploads', '/data'],
    );
    const left = source.survey.left.map((each: { name: string; why: string }) => `${each.name}: ${each.why}`);
    assert.deepEqual(left, ['/app/compose.yaml: mounted as a single file', '/app/uploads/app.db: saved as a database']);
    assert.deepEqual(
      plan.uncovered.map((each: { service: string; why: string }) => [each.service, each.why]),
      [['worker', 'switched off: lifeboat.enable is false']],
    );
  });

  it('come back exactly, from the disk and from S3, with what others save untouched', async () => {
    const before = await facts();
    await using events = watchEvents();
    await stack.ok('backup', 'app');
    assert.deepEqual(await leftovers(stack.project, events), []);
    for (const from of ['local', 'offsite']) {
      if (from === 'offsite') await rm(join(stack.folder, 'backups', stack.project), { recursive: true });
      await inApp(name(), damage, '/app/uploads/tree');
      await inApp(name(), 'cd /app/uploads; echo stale > stale; echo kept > kept.tmp; chmod 700 .');
      await sql(`INSERT INTO t VALUES ('after the backup, from ${from}') RETURNING x`);
      assert.notEqual(await facts(), before);
      const restored = await stack.ok(
        'restore',
        'app/files',
        '--yes',
        ...(from === 'offsite' ? ['--no-safety-backup'] : []),
      );
      assert.match(restored.stderr + restored.stdout, /worker/, 'who shares the volume is stopped and started');
      assert.equal(await facts(), before, from);
      assert.equal(
        await docker('exec', name(), 'sh', '-c', 'ls -A /app/uploads | tr "\\n" " "'),
        'app.db kept.tmp tree',
      );
      assert.match(await sql('SELECT x FROM t'), new RegExp(`from ${from}`), 'the database is of another source');
      const { stdout } = await stack.compose('ps', '--format', '{{.Service}} {{.State}}');
      assert.match(stdout, /worker running/);
    }
    await stack.ok('verify', 'app/files');
  });

  it('fault 15: are only partly saved when one changes meanwhile, which is told everywhere', async () => {
    await inApp(name(), 'head -c 100M /dev/zero | tr "\\0" x > /app/uploads/busy');
    await docker(
      'exec',
      '-d',
      '-u',
      '0',
      name(),
      'bash',
      '-c',
      'while [ ! -e /stop ]; do echo more; done >> /app/uploads/busy',
    );
    const ended = await stack.lifeboat('backup', 'app/files');
    await docker('exec', '-u', '0', name(), 'touch', '/stop');
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(ended.stderr, /! app\/files .*partial: \/app\/uploads: 1 file \(busy\) changed/s);
    const status = await stack.lifeboat('status');
    assert.match(status.stdout, /! partial +app\/files/);
    assert.match(status.stdout, /1 file \(busy\) changed while being read/);
    assert.equal(status.code, 3);
    const [{ id }] = JSON.parse((await stack.ok('list', 'app/files', '--json')).stdout).backups;
    assert.match((await stack.ok('show', id)).stdout, /partial: \/app\/uploads: 1 file \(busy\)/);
  });
});
