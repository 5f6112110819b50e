import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bucket, makeBucket } from '../../support/s3.ts';
import { run, type Stack, startStack } from '../../support/stack.ts';
import { docker, everyVersion, runId } from '../../support/testbed.ts';
import { newest, older, type Server } from './servers.ts';

interface Listed {
  readonly short: string;
  readonly service: string;
  readonly trigger: string;
  readonly destinations: readonly string[];
}

/**
 * The whole promise for every engine: seeded, backed up by the real image to a folder and to S3, destroyed, restored from
 * the folder, destroyed again, restored from S3; each time everything the engine promises to keep is compared.
 */
function testMatrix(title: string, servers: readonly Server[]): void {
  describe(title, { concurrency: false }, () => {
    let stack: Stack;
    let bucket: Bucket;
    const seeded = new Map<string, string>();
    const nameOf = ({ service }: Server) => `${stack.project}-${service}-1`;
    const forEach = (work: (server: Server, name: string) => Promise<void>) =>
      Promise.all(servers.map((server) => work(server, nameOf(server))));
    const sidecar = async (...argv: string[]) => {
      const { code, stdout, stderr } = await run('docker', ['exec', `${stack.project}-sidecar-1`, ...argv]);
      assert.equal(code, 0, `${argv.join(' ')}:\n${stdout}\n${stderr}`);
      return stdout;
    };
    const restoreAll = () => forEach(async ({ service }) => void (await sidecar('restore', service, '--yes')));
    const isAsSeeded = () =>
      forEach(async (server, name) => assert.equal(await server.fingerprint(name), seeded.get(server.service), name));

    before(async () => {
      bucket = await makeBucket(`lifeboat-matrix-${runId}-${servers.length}`);
      const volumes = servers.map(({ service }) => `  ${service}-data:`).join('\n');
      const services = servers.map((server) => `  ${server.service}:\n${server.compose}`).join('\n');
      const settings = { ...bucket.settings, LIFEBOAT_SCHEDULE: 'manual', LIFEBOAT_CONCURRENCY: '2' };
      stack = await startStack(`${services}\nvolumes:\n${volumes}\n`, settings, 'daemon');
      await forEach(async (server, name) => {
        await server.ready(name);
        await server.seed(name);
        seeded.set(server.service, await server.fingerprint(name));
      });
    });
    after(async () => {
      await stack?.[Symbol.asyncDispose]();
      await bucket?.[Symbol.asyncDispose]();
    });

    it('is backed up by one command, to a folder and to S3', async () => {
      const { sources } = JSON.parse(await sidecar('plan', '--json'));
      const found = sources.map(({ name }: { name: string }) => name.split('/')[0]);
      assert.deepEqual(found.toSorted(), servers.map(({ service }) => service).toSorted());
      await sidecar('backup');
      const { backups } = JSON.parse(await sidecar('list', '--json'));
      assert.equal(backups.length, servers.length);
      for (const { destinations } of backups) assert.deepEqual(destinations.toSorted(), ['local', 'offsite']);
    });

    it('comes back from the folder when every container and volume is gone', async () => {
      const services = servers.map(({ service }) => service);
      await stack.compose('rm', '--stop', '--force', '--volumes', ...services);
      await docker('volume', 'rm', ...services.map((service) => `${stack.project}_${service}-data`));
      const up = await stack.compose('up', '-d', '--wait');
      assert.equal(up.code, 0, up.stderr);
      await forEach(async (server, name) => {
        await server.ready(name);
        assert.notEqual(await server.fingerprint(name).catch(() => 'nothing'), seeded.get(server.service), name);
      });
      await restoreAll();
      await isAsSeeded();
    });

    it('fault 82: comes back from S3 when the folder is gone, over damaged data and without what was made since', async () => {
      await forEach(async (server, name) => {
        await server.damage(name);
        assert.notEqual(await server.fingerprint(name), seeded.get(server.service), name);
      });
      // Not those that were taken before a restore: they hold servers that had just come up.
      const { backups } = JSON.parse(await sidecar('list', '--json')) as { backups: Listed[] };
      await rm(join(stack.folder, 'backups', stack.project), { recursive: true });
      await forEach(async ({ service }) => {
        const manual = backups.find((entry) => entry.service === service && entry.trigger === 'manual');
        assert.ok(manual, service);
        await sidecar('restore', service, '--at', manual.short, '--yes');
      });
      await isAsSeeded();
    });
  });
}

testMatrix('every engine beside one sidecar', newest);
if (everyVersion) testMatrix('every other version beside one sidecar', older);
