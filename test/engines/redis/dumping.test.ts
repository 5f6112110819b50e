import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { redis } from '../../../src/engines/redis/index.ts';
import { RedisOptions } from '../../../src/engines/redis/options.ts';
import { pipeFolder, shellOf } from '../../support/testbed.ts';
import { backUp, isError, plainOptions, serverOf, shown, signal } from './backup.ts';
import { commands, redisCli, seed } from './data.ts';

describe('redis dumping a server', { concurrency: false }, () => {
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
