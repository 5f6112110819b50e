import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import type { RestoreSteps } from '../../src/engines/engine.ts';
import { redis } from '../../src/engines/redis/index.ts';
import { RedisOptions } from '../../src/engines/redis/options.ts';
import {
  type ContainerOptions,
  docker,
  nastyPassword,
  pipeFolder,
  runId,
  shellOf,
  startContainer,
  testLabel,
} from '../support/testbed.ts';
import {
  backUp,
  byLine,
  cli,
  commands,
  damage,
  fieldExpiry,
  fingerprint,
  graphCli,
  graphPassword,
  isError,
  plainOptions,
  previewOf,
  quiet,
  ready,
  redisCli,
  restoreFrom,
  seed,
  seedGraphs,
  serverOf,
  shown,
  signal,
} from './redis-servers.ts';

describe('dumping a server', { concurrency: false }, () => {
  it('fault 26: fails when the save fails, whatever file is there from before', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET a 1\nSAVE\nSET b 2\n');
    await shown(server.name, 'chmod', '0555', '/data');
    await shown(server.name, 'chown', 'root', '/data');
    await assert.rejects(backUp(server.id), isError('COMMAND_FAILED', /could not save/));
    assert.match(await shown(server.name, 'ls', '/data'), /dump\.rdb/);
    await shown(server.name, 'chown', 'redis', '/data');
    await shown(server.name, 'chmod', '0755', '/data');
    assert.equal((await backUp(server.id)).manifest.artifacts[0]?.counts[1]?.objects['keys of db0'], 2);
  });

  it('faults 25, 26, 27: refuses a file from before the backup, cut ends, flipped bits and what follows the end', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, seed);
    const { dump, plain } = await backUp(server.id);
    const shell = await shellOf(server.id);
    const prove = (bytes: Buffer, facts = dump.facts) =>
      redis.prove(shell, { ...dump, facts }, Readable.from([bytes]), plainOptions, signal());
    await assert.rejects(
      prove(plain, { ...dump.facts, savedAfter: (dump.facts.savedAfter as number) + 3600 }),
      isError('PROOF_FAILED', /stale/),
    );
    for (const missing of [1, 8, 9, 100]) {
      await assert.rejects(prove(plain.subarray(0, -missing)), isError('PROOF_FAILED'), `minus ${missing}`);
    }
    for (let at = 5; at < plain.length; at += Math.ceil(plain.length / 40)) {
      const flipped = Buffer.from(plain);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      await assert.rejects(prove(flipped), isError('PROOF_FAILED'), `a bit of byte ${at}`);
    }
    await assert.rejects(
      prove(Buffer.concat([plain, Buffer.alloc(40, 'm')])),
      isError('PROOF_FAILED', /40 bytes follow/),
    );
  });

  it('fault 25: lets the tool of the image refuse what adds up but cannot be read', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'HSET h field value\n');
    const { dump, plain } = await backUp(server.id);
    const at = plain.indexOf('field');
    const broken = Buffer.concat([plain.subarray(0, -8), Buffer.alloc(8)]); // No checksum, so ours cannot tell.
    broken[at - 1] = 0xf7; // The listpack's own encoding of the length before it.
    const proof = redis.prove(await shellOf(server.id), dump, Readable.from([broken]), plainOptions, signal());
    await assert.rejects(proof, isError('PROOF_FAILED', /redis-check-rdb/));
  });

  it('fault 25: takes a dump without checksum, and says that it is weak', async () => {
    await using server = await serverOf('redis:8', { args: ['--rdbchecksum', 'no'] });
    await commands(server.name, redisCli, 'SET a 1\n');
    assert.match((await backUp(server.id)).manifest.seals[0]?.proof ?? '', /weak/);
  });

  it('fault 27: leaves nothing behind in a server that keeps nothing, and no mark behind the dump', async () => {
    await using server = await serverOf('redis:8', { args: ['--save', ''] });
    await commands(server.name, redisCli, seed);
    const { dump, manifest } = await backUp(server.id);
    assert.equal(dump.facts.method, 'transfer');
    assert.equal(manifest.artifacts[0]?.counts[1]?.objects['keys of db15'], 1);
    assert.equal(await shown(server.name, 'sh', '-c', 'ls -A /data; ls -A /tmp; ls -A /dev/shm'), '');
  });

  it('fetches the dump from a login that may not save', async () => {
    await using server = await serverOf('redis:8', {
      env: { BACKUP_PASSWORD: 'secret' },
    });
    await commands(server.name, redisCli, 'SET a 1\nACL SETUSER backup on >secret ~* &* +@all -bgsave -save\n');
    const options = RedisOptions.parse({ user: 'backup', 'password-env': 'BACKUP_PASSWORD' });
    const { dump, manifest } = await backUp(server.id, options);
    assert.equal(dump.facts.method, 'transfer');
    assert.match(manifest.warnings.join(), /1 ACL user beside the default \(backup\)/);
  });

  it('offers a helper for big data, which must see the same file first', async () => {
    await using server = await serverOf('redis:8', { args: ['--rdbcompression', 'no'] });
    await commands(server.name, redisCli, 'SETRANGE big 70000000 x\n');
    // The image of Lifeboat is not there in this test: the server's own has the same tools.
    await using pipes = await pipeFolder();
    const shell = await shellOf(server.id, { ownImage: 'redis:8', pipes });
    const survey = await redis.survey(shell, plainOptions, signal());
    for await (const { produce } of redis.dump(shell, survey, plainOptions, { counts: 'auto' }, signal())) {
      assert.ok(produce.from === 'command' && produce.helper?.path === 'file');
      assert.equal(await produce.helper.whyNot?.(signal()), undefined);
      await using piped = await shell.pipe(produce.helper.command);
      const { stdout } = spawn('cat', { stdio: [piped.fd, 'pipe', 'inherit'] });
      assert.ok(stdout);
      const ended = piped.run(signal());
      const proof = await redis.prove(
        shell,
        { name: 'dump', kind: 'rdb', extension: 'rdb', facts: {} },
        stdout,
        plainOptions,
        signal(),
      );
      await ended;
      assert.equal(proof.counts[0]?.objects['keys of db0'], 1);
    }
  });

  it('refuses an empty dump of a server that has keys', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET a 1\n');
    const shell = await shellOf(server.id);
    const survey = await redis.survey(shell, plainOptions, signal());
    const empty = { name: 'dump', kind: 'rdb', extension: 'rdb', facts: {}, plainBytes: 100 };
    const counts = [{ how: 'dump' as const, objects: { 'function libraries': 0 } }];
    const review = redis.review(shell, survey, [{ ...empty, counts }], plainOptions, signal());
    await assert.rejects(review, isError('PROOF_FAILED', /keys of db0/));
  });
});

describe('logging in', { concurrency: false }, () => {
  const surveyed = async (id: string, options = plainOptions) => redis.survey(await shellOf(id), options, signal());

  it('finds the password in the configuration file, in a shell command, and in a secret file', async () => {
    const conf = `printf 'requirepass "a \\x22b"\\n' >/tmp/r.conf; printf 'from file\\n' >/tmp/secret;`;
    const run = async (script: string, env: Record<string, string>, password: string) => {
      const args = ['sh', '-c', `${conf} ${script}`];
      await using server = await serverOf('redis:8', { args, env }, { ...redisCli, password });
      assert.equal((await surveyed(server.id)).product, 'Redis');
    };
    await run('exec redis-server /tmp/r.conf', {}, 'a "b');
    await run('exec redis-server --requirepass "$CACHE_PW"', { CACHE_PW: nastyPassword }, nastyPassword);
    await run(
      'exec redis-server --requirepass "$(cat $REDIS_PASSWORD_FILE)"',
      { REDIS_PASSWORD_FILE: '/tmp/secret' },
      'from file',
    );
  });

  it('says what to set when it finds none, or the wrong one', async () => {
    const script = 'a=hid; exec redis-server --requirepass "$a""den"';
    await using server = await serverOf(
      'redis:8',
      { args: ['sh', '-c', script], env: { WRONG: 'wrong' } },
      { ...redisCli, password: 'hidden' },
    );
    await assert.rejects(surveyed(server.id), isError('LOGIN_FAILED', /NOAUTH|WRONGPASS/));
    const wrong = RedisOptions.parse({ 'password-env': 'WRONG' });
    await assert.rejects(surveyed(server.id, wrong), isError('LOGIN_FAILED', /WRONGPASS/));
    await assert.rejects(
      surveyed(server.id, RedisOptions.parse({ 'password-env': 'NONE' })),
      isError('LOGIN_FAILED', /no variable NONE/),
    );
    await assert.rejects(surveyed(server.id, RedisOptions.parse({ port: 7777 })), isError('COMMAND_FAILED', /refused/));
  });

  it('says when the image has no client', async () => {
    await using other = await startContainer('debian:trixie-slim', { args: ['sleep', '600'] });
    await assert.rejects(surveyed(other.id), isError('TOOL_MISSING', /redis-cli/));
  });
});

describe('restoring a server', { concurrency: false }, () => {
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
    await commands(server.name, redisCli, 'SET stays 1\nSET goes 1 PX 1500\nSET later 1 EX 100\n');
    const kept = await backUp(server.id);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
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
