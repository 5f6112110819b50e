import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { open, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Status } from '../../src/runs/status/status.ts';
import type { VerifyReport } from '../../src/runs/verify/verify.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
import { docker } from '../support/testbed.ts';

describe('verify', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  /** With one backup in two destinations. */
  const withBackup = async (settings: Readonly<Record<string, string>> = {}): Promise<Home> => {
    const home = await makeHome(stack.project, (folder) => {
      mkdirSync(join(folder, 'second'));
      return { LIFEBOAT_DEST_SECOND_URL: `file://${folder}/second`, ...settings };
    });
    good(await home.lifeboat(['backup', 'db']));
    return home;
  };
  const find = async (home: Home, destination: string, pattern: RegExp) => {
    const root = join(home.folder, destination);
    const found = (await readdir(root, { recursive: true })).filter((name) => !name.includes('/latest/'));
    return found.filter((name) => pattern.test(name)).map((name) => join(root, name));
  };
  const artifact = async (home: Home, destination: string) => {
    const [path] = await find(home, destination, /shop\.dump\.zst$/);
    assert.ok(path);
    return path;
  };
  const verify = async (home: Home, ...args: string[]) => {
    const ended = await home.lifeboat(['verify', '--json', ...args]);
    const [last = ''] = ended.stdout.trim().split('\n').slice(-1);
    return { ...ended, report: last.includes('"result"') ? (JSON.parse(last) as VerifyReport) : undefined };
  };
  const copies = (report: VerifyReport | undefined) =>
    report?.backups[0]?.verified?.copies.map(({ destination, result }) => `${destination} ${result}`);
  const flip = async (path: string, at?: number) => {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    const byte = Buffer.alloc(1);
    const place = at ?? size >> 1;
    await file.read(byte, 0, 1, place);
    await file.write(Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, place);
  };

  it('reads every copy, proves one, notes it beside the manifest and shows it', async () => {
    await using home = await withBackup();
    const ended = await home.lifeboat(['verify']);
    good(ended);
    assert.match(ended.stdout, /db\/postgres {2}\w{6}/);
    assert.match(ended.stdout, /local: every byte as it was stored/);
    assert.match(ended.stdout, /second: every byte as it was stored/);
    assert.match(ended.stdout, /structure: end marker of pg_dumpall; pg_restore read every block/);
    for (const destination of ['backups', 'second']) {
      const [note, ...others] = await find(home, destination, /events\/\d{8}-\d{6}-\w{6}-verified\.json$/);
      assert.ok(note && others.length === 0);
      const { type, level, result } = JSON.parse(await readFile(note, 'utf8'));
      assert.deepEqual([type, level, result], ['verified', 'structure', 'ok']);
    }
    const list = await home.lifeboat(['list']);
    good(list);
    assert.match(list.stdout, /VERIFIED[\s\S]*local, second {2}\d+s ago/);
    const id = /\n(\w{6}) /.exec(list.stdout)?.[1] ?? '';
    assert.match((await home.lifeboat(['show', id])).stdout, /Verified\n.*local .*sound, structure\n.*second .*sound/);
    assert.match((await home.lifeboat(['status'])).stdout, /VERIFIED/);
    assert.match(
      (await home.lifeboat(['logs'])).stdout,
      /\(verify\)[\s\S]*is sound in local, second and its structure/,
    );
    good(await home.lifeboat(['verify', id, '--level', 'checksum']));
    assert.match((await home.lifeboat(['list'])).stdout, /\d+s ago \(checksum\)/);
  });

  it('names destination, artifact and what differs, for every kind of damage, and what to do next', async () => {
    await using home = await withBackup();
    const path = await artifact(home, 'second');
    const whole = await readFile(path);
    const kinds: [string, () => Promise<void>, RegExp][] = [
      [
        'a bit',
        () => flip(path),
        /second: damaged: shop\.dump\.zst has other content than was stored \(SHA-256 differs\)/,
      ],
      ['a cut', () => truncate(path, whole.length - 1), /shop\.dump\.zst is cut: \d+ of \d+ bytes/],
      ['more', () => writeFile(path, Buffer.concat([whole, Buffer.from('x')])), /shop\.dump\.zst is longer than/],
      ['gone', () => rm(path), /second: damaged: shop\.dump\.zst is missing/],
    ];
    for (const [what, damage, message] of kinds) {
      await writeFile(path, whole);
      await damage();
      const ended = await home.lifeboat(['verify', 'db']);
      assert.equal(ended.code, 20, `${what}: ${ended.stdout}${ended.stderr}`);
      assert.match(ended.stdout, message, what);
      assert.match(ended.stdout, /local: every byte as it was stored/);
      assert.match(ended.stdout, /restore db\/postgres --at \w{6} takes the sound copy in local/);
    }
    const status = await home.lifeboat(['status']);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /✖ damaged +db\/postgres[\s\S]*is damaged in second: shop\.dump\.zst is missing/);
    assert.match((await home.lifeboat(['list'])).stdout, /damaged in second/);
    await writeFile(path, whole);
    good(await home.lifeboat(['verify', 'db']));
    good(await home.lifeboat(['status']));
  });

  it('finds damage in the first copy as well, and proves the second', async () => {
    await using home = await withBackup();
    await flip(await artifact(home, 'backups'), 200);
    const { code, report } = await verify(home);
    assert.equal(code, 20);
    assert.deepEqual(copies(report), ['local damaged', 'second ok']);
    assert.equal(report?.backups[0]?.verified?.structure.state, 'proved');
  });

  it('refuses bytes that are as they were stored but no whole dump', async () => {
    await using home = await withBackup();
    for (const destination of ['backups', 'second']) {
      // As if the dump had been cut before it was hashed: manifest and bytes agree.
      const path = await artifact(home, destination);
      const cut = zstdDecompressSync(await readFile(path)).subarray(0, -100);
      const stored = zstdCompressSync(cut);
      await writeFile(path, stored);
      const [manifestPath] = await find(home, destination, /\/manifest\.json$/);
      assert.ok(manifestPath);
      const manifest = JSON.parse(await readFile(manifestPath, 'utf8'));
      const shop = manifest.artifacts.find(({ file }: { file: string }) => file === 'shop.dump.zst');
      const sha256 = createHash('sha256').update(stored).digest('hex');
      Object.assign(shop, { plainBytes: cut.length, storedBytes: stored.length, storedSha256: sha256 });
      await writeFile(manifestPath, JSON.stringify(manifest));
    }
    const { code, report } = await verify(home);
    assert.equal(code, 20);
    assert.deepEqual(copies(report), ['local damaged', 'second damaged']);
    assert.equal(report?.backups[0]?.verified?.structure.state, 'failed');
    assert.match(JSON.stringify(report), /pg_restore does not accept the dump/);
    good(await verify(home, '--level', 'checksum'));
  });

  it('a damaged manifest is damage, and a destination that is away is no pass', async () => {
    await using home = await withBackup();
    const [manifest] = await find(home, 'second', /\/manifest\.json$/);
    assert.ok(manifest);
    const whole = await readFile(manifest);
    await truncate(manifest, 100);
    const damaged = await verify(home);
    assert.equal(damaged.code, 20);
    assert.deepEqual(copies(damaged.report), ['second damaged', 'local ok']);
    await writeFile(manifest, whole);
    await rename(join(home.folder, 'second'), join(home.folder, 'unmounted'));
    const away = await verify(home);
    assert.equal(away.code, 3, away.stderr);
    assert.equal(away.report?.problems[0]?.destination, 'second');
  });

  it('without the Engine it does the checksums and says that the structure was not run', async () => {
    await using home = await withBackup();
    const daemon = await home.start({ DOCKER_HOST: 'unix:///nonexistent/docker.sock' });
    const ended = await home.lifeboat(['verify']);
    assert.equal(ended.code, 3, ended.stderr);
    assert.match(
      ended.stdout,
      /local: every byte as it was stored[\s\S]*structure: not run: the Docker Engine does not/,
    );
    assert.match(ended.stdout, /lifeboat doctor/);
    good(await home.lifeboat(['verify', '--level', 'checksum']));
    const list = await home.lifeboat(['list']);
    assert.match(list.stdout, /\(checksum\)/);
    assert.match(daemon.log(), /started \(verify\)/);
  });

  it('the container may be gone as long as its image is there; without the image the structure is not run', async () => {
    const other = await startSmallStack('postgres:15');
    await using home = await makeHome(other.project);
    {
      await using _stack = other;
      good(await home.lifeboat(['backup', 'db']));
    }
    const proved = await home.lifeboat(['verify', 'db']);
    good(proved);
    assert.match(proved.stdout, /structure: .*pg_restore read every block/);

    const [path] = await find(home, 'backups', /\/manifest\.json$/);
    assert.ok(path);
    const manifest = JSON.parse(await readFile(path, 'utf8'));
    manifest.container.imageId = `sha256:${'0'.repeat(64)}`;
    await writeFile(path, JSON.stringify(manifest));
    const gone = await home.lifeboat(['verify', 'db']);
    assert.equal(gone.code, 3, gone.stdout);
    assert.match(
      gone.stdout,
      /every byte as it was stored[\s\S]*structure: not run: image sha256:0+ is not on this host/,
    );
  });

  it('is a run of its own and no attempt at a backup, and leaves no helper', async () => {
    await using home = await withBackup();
    await home.start();
    good(await home.lifeboat(['verify']));
    const status = JSON.parse((await home.lifeboat(['status', '--json'])).stdout) as Status;
    const [source] = status.sources;
    assert.equal(source?.state, 'ok');
    assert.equal(source?.lastBackup?.verified.length, 2);
    assert.equal(await docker('ps', '-aq', '--filter', `label=lifeboat.owner=${stack.project}/lifeboat`), '');
    const after = JSON.parse((await home.lifeboat(['status', '--json'])).stdout) as Status;
    assert.equal(after.sources[0]?.lastRun?.run, source?.lastRun?.run, 'the last attempt at a backup is the same');
  });
});
