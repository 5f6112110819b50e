import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import type { RestoreSteps } from '../../../src/engines/engine.ts';
import { redis } from '../../../src/engines/redis/index.ts';
import { type ContainerOptions, docker, eventually, runId, shellOf, testLabel } from '../../support/testbed.ts';
import {
  type BackUp,
  backUp,
  byLine,
  isError,
  plainOptions,
  previewOf,
  quiet,
  restoreFrom,
  serverOf,
  shown,
  signal,
} from './backup.ts';
import { cli, commands, damage, fieldExpiry, fingerprint, ready, redisCli, seed } from './data.ts';
import { graphCli, graphPassword, seedGraphs } from './graphs.ts';

describe('redis restoring a server', { concurrency: false }, () => {
  after(async () => {
    const volumes = await docker('volume', 'ls', '-q', '--filter', `label=${testLabel}=${runId}`);
    for (const volume of volumes.split('\n').filter((name) => name !== '')) await docker('volume', 'rm', '-f', volume);
  });

  let volumes = 0;
  const named = () => {
    volumes += 1;
    const source = `lifeboat-${runId}-redis-${volumes}`;
    return ['--mount', `type=volume,source=${source},target=/data,volume-label=${testLabel}=${runId}`];
  };
  const seeded = async (options: ContainerOptions = {}) => {
    const server = await serverOf('redis:8', options);
    await commands(server.name, redisCli, seed + fieldExpiry);
    return { server, kept: await backUp(server.id), before: await fingerprint(server.name, redisCli) };
  };
  const own = async (name: string) => fingerprint(name, redisCli);

  it('fault 83: with an AOF, loads what was restored, keeps what was there, and leaves nothing else behind', async () => {
    const { server, kept, before } = await seeded({ args: ['--appendonly', 'yes'], run: named() });
    await using _ = server;
    const count = async () => (await docker('volume', 'ls', '-q')).split('\n').length;
    const present = await count();
    await damage(server.name, redisCli);
    const restored = await restoreFrom(server.id, kept);
    assert.equal(await own(server.name), before);
    assert.match(restored.kept.join(), /\/data\/\.lifeboat-prev-test02/);
    assert.match(
      restored.checks.join('\n'),
      /db0: \d+ keys as in the backup[\s\S]*2 function libraries[\s\S]*started server loaded/,
    );
    assert.match(await shown(server.name, 'ls', '-A', '/data/.lifeboat-prev-test02'), /appendonlydir/);
    assert.equal(await shown(server.name, 'ls', '-A', '/data'), '.lifeboat-prev-test02\nappendonlydir\ndump.rdb');
    assert.equal(await shown(server.name, 'sh', '-c', 'stat -c "%U %a" /data/dump.rdb'), 'redis 600');
    assert.equal(await count(), present, 'no volume was left');
    // What is written now is still there after the next start: the AOF goes on.
    await commands(server.name, redisCli, 'SET afterwards 1\n');
    await docker('restart', server.name);
    await ready(server.name, redisCli);
    assert.equal(await cli(server.name, redisCli, ['GET', 'afterwards']), '1');
  });

  it('restores a server that runs as root in a folder of another user, as one does that a shell starts', async () => {
    await using server = await serverOf('redis:8', { args: ['sh', '-c', 'exec redis-server'], run: named() });
    assert.equal(await shown(server.name, 'stat', '-c', '%U', '/data'), 'redis');
    await commands(server.name, redisCli, 'SET a 1\n');
    const kept = await backUp(server.id);
    await commands(server.name, redisCli, 'SET a 2\n');
    await restoreFrom(server.id, kept);
    await ready(server.name, redisCli);
    assert.equal(await cli(server.name, redisCli, ['GET', 'a']), '1');
  });

  for (const policy of ['no', 'always']) {
    it(`goes back when the server does not take the data (restart policy ${policy})`, async () => {
      const { server, kept } = await seeded({ args: ['--appendonly', 'yes'], run: [...named(), '--restart', policy] });
      await using _ = server;
      await damage(server.name, redisCli);
      const changed = await own(server.name);
      const staged = '/data/.lifeboat-new-test03/appendonlydir/appendonly.aof.manifest';
      const spoil: RestoreSteps = {
        ...quiet,
        switching: async () => void (await shown(server.name, 'sh', '-c', `echo nonsense >${staged}`)),
      };
      await assert.rejects(restoreFrom(server.id, kept, spoil, 'test03'), isError('RESTORE_FAILED', /did not take/));
      assert.equal(await own(server.name), changed);
      assert.doesNotMatch(await shown(server.name, 'ls', '-A', '/data'), /lifeboat/);
    });
  }

  it('goes back when the staged data is gone before the switch', async () => {
    const { server, kept } = await seeded({ run: named() });
    await using _ = server;
    await damage(server.name, redisCli);
    const changed = await own(server.name);
    const spoil: RestoreSteps = {
      ...quiet,
      switching: async () => void (await shown(server.name, 'rm', '-r', '/data/.lifeboat-new-test04')),
    };
    await assert.rejects(restoreFrom(server.id, kept, spoil, 'test04'), isError('RESTORE_FAILED'));
    assert.equal(await own(server.name), changed);
  });

  it('puts data into a container that does not run, because its data is broken', async () => {
    const { server, kept, before } = await seeded({ args: ['--appendonly', 'yes'], run: named() });
    await using _ = server;
    await shown(server.name, 'sh', '-c', 'echo nonsense >/data/appendonlydir/appendonly.aof.manifest');
    await docker('kill', server.name);
    const restored = await restoreFrom(server.id, kept);
    assert.match(restored.warnings.join(), /was not started/);
    assert.equal(await docker('inspect', '-f', '{{.State.Running}}', server.name), 'false');
    await docker('start', server.name);
    assert.equal(await own(server.name), before);
  });

  it('is not surprised by keys that expire before it is done', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET stays 1\nSET later 1 EX 1000\n');
    let kept: BackUp;
    let ms = 1_500;
    do {
      // In time for the backup, however slow that is here.
      await commands(server.name, redisCli, `SET goes 1 PX ${ms}\n`);
      kept = await backUp(server.id);
      ms *= 2;
    } while (kept.manifest.artifacts[0]?.counts[1]?.objects['keys of db0'] !== 3);
    await eventually(async () => assert.equal(await cli(server.name, redisCli, ['EXISTS', 'goes']), '0'));
    const { checks } = await restoreFrom(server.id, kept);
    assert.match(checks.join(), /2 keys as in the backup, 1 expired meanwhile/);
  });

  for (const appendonly of ['no', 'yes']) {
    const inLayer = {
      args: [
        'sh',
        '-c',
        `mkdir -p /srv/r && chown redis /srv/r && exec docker-entrypoint.sh redis-server --dir /srv/r --appendonly ${appendonly}`,
      ],
    };
    it(`goes through the Engine for data in the container's own layer (AOF ${appendonly})`, async () => {
      const { server, kept, before } = await seeded(inLayer);
      await using _ = server;
      assert.match(kept.manifest.warnings.join(), /on no volume/);
      await damage(server.name, redisCli);
      await restoreFrom(server.id, kept);
      assert.equal(await own(server.name), before);
      await commands(server.name, redisCli, 'SET afterwards 1\n');
      await docker('restart', server.name);
      await ready(server.name, redisCli);
      assert.equal(await cli(server.name, redisCli, ['GET', 'afterwards']), '1');

      const changed = await own(server.name);
      let opened = 0;
      const open = async () => {
        opened += 1;
        if (opened > 1) throw new Error('the store is gone');
        return Readable.from([kept.plain]);
      };
      const attempt = redis.restore(
        await shellOf(server.id),
        { manifest: kept.manifest, open },
        { suffix: 'test05' },
        plainOptions,
        quiet,
        signal(),
      );
      await assert.rejects(attempt, isError('RESTORE_FAILED', /did not take/));
      assert.equal(await own(server.name), changed, 'back as before');

      await damage(server.name, redisCli);
      await byLine(kept);
      assert.equal(await own(server.name), before, 'restored by hand');
    });
  }

  it('is done by hand over data that has changed', async () => {
    for (const args of [[], ['--appendonly', 'yes']]) {
      const { server, kept, before } = await seeded({ args });
      await using _ = server;
      await damage(server.name, redisCli);
      await byLine(kept);
      assert.equal(await own(server.name), before);
    }
  });

  it('faults 80 and 81: is refused where it cannot work, with the reason', async () => {
    const { server, kept } = await seeded();
    await using _ = server;
    const refused = async (container: { id: string }, reason: RegExp) => {
      assert.match((await previewOf(container.id, kept)).refusals.join(), reason);
      await assert.rejects(restoreFrom(container.id, kept), isError('RESTORE_REFUSED', reason));
    };
    {
      await using older = await serverOf('valkey:8', {}, { tool: 'valkey-cli' });
      await refused(older, /RDB version 12; Valkey 8\.\S+ reads only up to version 11/);
    }
    {
      const newer = structuredClone(kept.manifest);
      newer.server.version = '7.2.4';
      const preview = await previewOf(server.id, { ...kept, manifest: newer });
      assert.deepEqual(preview.refusals, []);
      assert.match(preview.warnings.join(), /the backup is of Redis 7\.2\.4, this server is Redis 8/);
    }
    {
      await using small = await serverOf('redis:8', { args: ['--databases', '4'] });
      await refused(small, /database 15.*4 databases/);
    }
    {
      await using replica = await serverOf('redis:8', { args: ['--replicaof', '127.0.0.1', '1'] });
      await refused(replica, /is a replica/);
    }
    {
      await using fleeting = await serverOf('redis:8', { run: ['--tmpfs', '/data'] });
      await refused(fleeting, /in memory/);
    }
    const beside = { manifest: kept.manifest, open: async () => Readable.from([kept.plain]) };
    const as = redis.restore(await shellOf(server.id), beside, { as: 'x', suffix: 'y' }, plainOptions, quiet, signal());
    await assert.rejects(as, isError('USAGE', /another name/));
    assert.equal((await previewOf(server.id, kept)).refusals.length, 0);
  });

  it('fault 81: is refused where a module is missing', async () => {
    await using graph = await serverOf(
      'falkordb:4',
      { env: { REDIS_ARGS: `--requirepass ${graphPassword}` } },
      graphCli,
    );
    await seedGraphs(graph.name);
    const kept = await backUp(graph.id);
    await using plain = await serverOf('redis:8');
    assert.match((await previewOf(plain.id, kept)).refusals.join(), /data of the module graph/);
  });
});
