import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { zstdDecompressSync } from 'node:zlib';
import { type Home, main, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
import { dockerWithInput } from '../support/testbed.ts';

const run = promisify(execFile);

describe('export', { concurrency: false }, () => {
  let stack: SmallStack;
  let home: Home;
  let id: string;
  before(async () => {
    stack = await startSmallStack();
    // More than what waits in pipes and decoders at once, and nothing that compresses.
    await stack.psql(
      'CREATE TABLE noise AS SELECT gen_random_uuid() AS a, gen_random_uuid() AS b FROM generate_series(1, 150000)',
    );
    home = await makeHome(stack.project, (folder) => {
      mkdirSync(join(folder, 'second'));
      return { LIFEBOAT_DEST_SECOND_URL: `file://${folder}/second` };
    });
    good(await home.lifeboat(['backup', 'db']));
    const { stdout } = await home.lifeboat(['list', '--json']);
    id = (JSON.parse(stdout) as { backups: { short: string }[] }).backups[0]?.short ?? '';
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  const artifact = async (destination: string, file = 'shop.dump.zst') => {
    const root = join(home.folder, destination);
    const found = (await readdir(root, { recursive: true })).filter(
      (name) => name.endsWith(file) && !name.includes('latest'),
    );
    assert.equal(found.length, 1);
    return join(root, found[0] ?? '');
  };
  /** Bytes as they come, not as text. */
  const exported = (...args: string[]) =>
    new Promise<{ code: number; bytes: Buffer; stderr: string }>((resolve) => {
      const child = spawn(process.execPath, [main, 'export', ...args], { env: home.environment });
      const chunks: Buffer[] = [];
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.on('close', (code) => resolve({ code: code ?? -1, bytes: Buffer.concat(chunks), stderr }));
      child.stdin.end();
    });
  const damaging = async (path: string, place: (size: number) => number): Promise<AsyncDisposable> => {
    const whole = await readFile(path);
    await using file = await open(path, 'r+');
    const at = place(whole.length);
    await file.write(Buffer.from([(whole[at] ?? 0) ^ 1]), 0, 1, at);
    return { [Symbol.asyncDispose]: () => writeFile(path, whole) };
  };

  it('gives the plain bytes on standard output and says the rest on standard error', async () => {
    const plain = zstdDecompressSync(await readFile(await artifact('backups')));
    const { code, bytes, stderr } = await exported(id, '--artifact', 'shop');
    assert.equal(code, 0, stderr);
    assert.equal(sha256(bytes), sha256(plain));
    assert.match(stderr, /exported database shop of \w{6} from local/);
    assert.ok(stderr.includes(sha256(plain)));
    assert.match(
      await dockerWithInput(bytes, 'exec', '-i', stack.db, 'pg_restore', '--list'),
      /TABLE DATA public orders/,
    );
    const globals = await exported('db@latest', '--artifact', 'globals', '--json');
    assert.match(globals.bytes.toString(), /CREATE ROLE/);
    assert.equal(JSON.parse(globals.stderr).sha256, sha256(globals.bytes));
  });

  it('asks which artifact is meant, and names what there is', async () => {
    const which = await home.lifeboat(['export', id]);
    assert.equal(which.code, 2);
    assert.match(which.stderr, /holds several artifacts[\s\S]*--artifact: globals, postgres, shop/);
    const none = await home.lifeboat(['export', id, '--artifact', 'shpo']);
    assert.equal(none.code, 13);
    assert.match(none.stderr, /it has: globals, postgres, shop/);
    assert.equal((await home.lifeboat(['export', 'zzzzzz'])).code, 13);
  });

  it('writes a file under its name only when it is whole, and takes the next copy where one is damaged', async () => {
    const file = join(home.folder, 'shop.dump');
    const ask = ['export', 'db', '--artifact', 'shop', '-o', file];
    good(await home.lifeboat(ask));
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const plain = sha256(zstdDecompressSync(await readFile(await artifact('backups'))));
    assert.equal(sha256(await readFile(file)), plain);
    {
      // The last byte: all but that was written already.
      await using _damage = await damaging(await artifact('backups'), (size) => size - 1);
      await rm(file);
      const next = await home.lifeboat(ask);
      good(next);
      assert.match(next.stderr, /local: .*shop\.dump\.zst.*; taking the copy in second/);
      assert.equal(sha256(await readFile(file)), plain);
      await using _other = await damaging(await artifact('second'), (size) => size >> 1);
      await rm(file);
      const none = await home.lifeboat(ask);
      assert.equal(none.code, 20, none.stderr);
      assert.match(none.stderr, /second: .*shop\.dump\.zst/);
      assert.deepEqual(
        (await readdir(home.folder)).filter((name) => name.includes('shop.dump')),
        [],
        'neither the file nor a partial one',
      );
    }
  });

  it('ends with exit code 20 when bytes were given out before the damage was met', async () => {
    await using _damage = await damaging(await artifact('backups'), (size) => size - 1);
    const { code, bytes, stderr } = await exported(id, '--artifact', 'shop');
    assert.equal(code, 20, stderr);
    assert.ok(bytes.length > 0);
    assert.match(stderr, /local: /);
  });

  it('takes the next copy on standard output as long as nothing was given out', async () => {
    const path = await artifact('backups');
    await using _damage = await damaging(path, () => 0);
    const { code, bytes, stderr } = await exported(id, '--artifact', 'shop');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /taking the copy in second/);
    assert.equal(sha256(bytes), sha256(zstdDecompressSync(await readFile(await artifact('second')))));
  });

  it('refuses a terminal and a folder, and leaves devices what they are', async () => {
    const words = [process.execPath, main, 'export', id, '--artifact', 'shop'].map((word) => `'${word}'`).join(' ');
    const tty = await run('script', ['-qec', words, '/dev/null'], { env: home.environment }).then(
      () => assert.fail('a terminal got the bytes'),
      (error: { code: number; stdout: string }) => error,
    );
    assert.equal(tty.code, 2);
    assert.match(tty.stdout, /not written to a terminal/);
    assert.equal((await home.lifeboat(['export', id, '--artifact', 'shop', '-o', home.folder])).code, 2);
    good(await home.lifeboat(['export', id, '--artifact', 'shop', '-o', '/dev/null']));
    assert.ok((await stat('/dev/null')).isCharacterDevice());
  });

  it('a bundle holds the whole set, is restored from anywhere, and is read through a daemon as well as beside it', async () => {
    await home.start();
    const tar = join(home.folder, 'bundle.tar');
    const bundled = await home.lifeboat(['export', id, '--bundle', '-o', tar]);
    good(bundled);
    const elsewhere = await mkdtemp(join(tmpdir(), 'lifeboat-elsewhere-'));
    await run('tar', ['-xf', tar, '-C', elsewhere]);
    const names = await readdir(elsewhere, { recursive: true });
    for (const name of ['RECOVERY.md', 'lifeboat.json']) assert.ok(names.includes(name), name);
    assert.equal(names.filter((name) => name.endsWith('manifest.json')).length, 1);
    // By hand: the sums of the page hold.
    const page = await readFile(join(elsewhere, 'RECOVERY.md'), 'utf8');
    const [, folder = '', sums = ''] = /cd (\S+)\nsha256sum -c <<'SUMS'\n([\s\S]*?)SUMS/.exec(page) ?? [];
    await writeFile(join(elsewhere, folder, 'SUMS'), sums);
    await run('sha256sum', ['-c', 'SUMS'], { cwd: join(elsewhere, folder) });
    // By Lifeboat: unpacked it is a destination.
    await using other = await makeHome(stack.project, () => ({ LIFEBOAT_DEST_LOCAL_URL: `file://${elsewhere}` }));
    const verified = await other.lifeboat(['verify', id]);
    good(verified);
    await stack.psql('DELETE FROM orders WHERE id > 10');
    good(await other.lifeboat(['restore', 'db', '--at', id, '--yes', '--no-safety-backup', '--database', 'shop']));
    assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
    await rm(elsewhere, { recursive: true });
  });

  it('a bundle passes a damaged copy by, and is not there when no copy is whole', async () => {
    const tar = join(home.folder, 'other.tar');
    const copy = join(home.folder, 'whole.tar');
    good(await home.lifeboat(['export', id, '--bundle', '-o', copy]));
    await using _damage = await damaging(await artifact('backups'), (size) => size >> 1);
    const passed = await home.lifeboat(['export', id, '--bundle', '-o', tar]);
    good(passed);
    assert.match(passed.stderr, /local: shop\.dump\.zst .*; taking the copy of \w{6} in second/);
    await run('tar', ['-tf', tar]);
    await rm(tar);
    await using _other = await damaging(await artifact('second'), (size) => size >> 1);
    const none = await home.lifeboat(['export', id, '--bundle', '-o', tar]);
    assert.equal(none.code, 20, none.stderr);
    assert.deepEqual(
      (await readdir(home.folder)).filter((name) => name.startsWith('other.tar')),
      [],
    );
    await rm(copy);
  });
});
