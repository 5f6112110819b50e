import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Manifest } from '../../src/domain/manifest.ts';
import type { CopyReport } from '../../src/runs/operations.ts';
import { type FaultProxy, faultProxy } from '../fakes/fault-proxy.ts';
import {
  good,
  type Home,
  listed,
  makeHome,
  noise,
  type SmallStack,
  startSmallStack,
  statusOf,
} from '../support/daemon.ts';
import { type TestBucket, testBucket } from '../support/s3.ts';
import { eventually } from '../support/testbed.ts';

const mib = 1024 ** 2;

describe('copy', { concurrency: false }, () => {
  let stack: SmallStack;
  let bucket: TestBucket;
  before(async () => {
    stack = await startSmallStack();
    bucket = await testBucket();
    await stack.psql(noise);
  });
  after(async () => {
    await stack[Symbol.asyncDispose]();
    await bucket[Symbol.asyncDispose]();
  });

  interface Place extends AsyncDisposable {
    readonly home: Home;
    readonly proxy: FaultProxy;
    /** Keys in the bucket that belong to a backup. */
    keys(): Promise<readonly string[]>;
  }
  let places = 0;

  /** A home that saves to a folder, with a bucket behind a proxy and a second folder to copy to. */
  async function makePlace(prepare: (second: string) => void = () => {}): Promise<Place> {
    places += 1;
    const prefix = `copy-${places}`;
    const held = new AsyncDisposableStack();
    const proxy = held.use(await faultProxy(bucket.endpoint));
    const home = held.use(
      await makeHome(stack.project, (folder) => {
        const second = join(folder, 'second');
        mkdirSync(second);
        prepare(second);
        return {
          LIFEBOAT_TO: 'local',
          LIFEBOAT_DEST_SECOND_URL: `file://${second}`,
          ...bucket.destination('OFFSITE', prefix, proxy.endpoint),
        };
      }),
    );
    return {
      home,
      proxy,
      keys: () => bucket.keys(`${prefix}/${stack.project}/`),
      [Symbol.asyncDispose]: () => held.disposeAsync(),
    };
  }

  const backup = async (home: Home) => {
    good(await home.lifeboat(['backup']));
    const [made] = await listed(home);
    assert.deepEqual(made?.destinations, ['local']);
    return made.id;
  };
  const manifestOf = async (home: Home, id: string) => {
    const { stdout } = await home.lifeboat(['show', id, '--json']);
    return (JSON.parse(stdout) as { manifest: Manifest }).manifest;
  };
  const copy = async (home: Home, ...args: readonly string[]) => {
    const ended = await home.lifeboat(['copy', '--json', ...args]);
    const [last = ''] = ended.stdout.trim().split('\n').slice(-1);
    return { ...ended, report: JSON.parse(last) as CopyReport };
  };
  const where = async (home: Home) => (await listed(home)).map(({ destinations }) => destinations.join('+'));
  const artifactIn = async (home: Home, folder: string) => {
    const root = join(home.folder, folder);
    const found = await readdir(root, { recursive: true });
    const file = found.find((name) => /\/\d{8}-[^/]*\/shop\.dump\.zst$/.test(name));
    assert.ok(file, `an artifact in ${folder}`);
    return join(root, file);
  };
  const damage = async (path: string) => {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    await file.write('damaged', size >> 1);
  };

  it('brings a backup to a bucket and from there to another folder, where it is restored from', async () => {
    await using place = await makePlace();
    const { home } = place;
    const id = await backup(home);
    const there = await home.lifeboat(['copy', 'db', '--to', 'offsite']);
    good(there);
    assert.match(there.stdout, new RegExp(`^✔ copied db/postgres ${id.slice(-6)} to offsite \\(run \\w{6}\\)\n$`));
    assert.match(there.stderr, new RegExp(`db/postgres {2}${id.slice(-6)} to offsite {2}[\\d.]+ MB in`));
    assert.deepEqual(await where(home), ['local+offsite']);
    const again = await home.lifeboat(['copy', id.slice(-6), '--to', 'offsite']);
    good(again);
    assert.match(again.stdout, /the backup is in offsite already/);

    // The first site is lost.
    await rename(join(home.folder, 'backups'), join(home.folder, 'lost'));
    mkdirSync(join(home.folder, 'backups'));
    await rm(join(home.folder, 'data/destinations.json'));
    good(await home.lifeboat(['copy', id, '--to', 'second']));
    assert.deepEqual(await where(home), ['offsite+second']);
    assert.match((await home.lifeboat(['show', id])).stdout, /Where[\s\S]*offsite {2}s3:[\s\S]*second {2}file:/);
    good(await home.lifeboat(['verify', id]));
    await bucketAway(place, async () => {
      await stack.psql('DELETE FROM orders');
      good(await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']));
      assert.equal(await stack.psql('SELECT count(*) FROM orders'), '1000');
    });
  });

  /** As long as nobody answers for the bucket. */
  async function bucketAway({ proxy }: Place, act: () => Promise<void>): Promise<void> {
    const away = { on: /./, answer: { status: 403 }, times: Infinity };
    proxy.inject(away);
    await act();
    away.times = 0;
  }

  it('--all --since brings what is missing, the oldest first, through the daemon as without it', async () => {
    await using place = await makePlace();
    const { home } = place;
    const ids = [await backup(home), await backup(home)];
    good(await home.lifeboat(['copy', ids[0] ?? '', '--to', 'second']));
    ids.push(await backup(home));
    const daemon = await home.start();
    const lastRun = async () => (await statusOf(home)).sources.map(({ source, lastRun: last }) => [source, last?.run]);
    const before = await lastRun();
    const ended = await copy(home, '--all', '--since', '1h', '--to', 'second', '--progress', 'json');
    good(ended);
    assert.deepEqual(
      [ended.report.backups.map((each) => each.backup), ended.report.there],
      [ids.slice(1), ids.slice(0, 1)],
    );
    const types = ended.stdout.split('\n').flatMap((line) => (line ? [JSON.parse(line).type as string] : []));
    for (const type of ['run.started', 'step.started', 'source.finished', 'run.finished'])
      assert.ok(types.includes(type), type);
    assert.deepEqual(await where(home), Array(3).fill('local+second'));
    assert.match((await home.lifeboat(['logs'])).stdout, /\(copy\)[\s\S]*copied to second: [\d.]+ MB in/);
    assert.deepEqual(await lastRun(), before, 'a copy is no new backup');
    const late = await home.lifeboat(['copy', '--all', '--since', '2099-01-01', '--to', 'second']);
    assert.equal(late.code, 13, late.stderr);
    daemon.kill('SIGTERM');
    assert.equal((await daemon.ended).code, 0, daemon.log());
  });

  it('fault 54: a copy that is killed in the middle is no backup, and goes on where it was', async () => {
    await using place = await makePlace();
    const { home, proxy, keys } = place;
    const id = await backup(home);
    const { artifacts } = await manifestOf(home, id);
    const files = artifacts.map(({ file }) => file);
    const last = files.at(-1) ?? '';
    assert.ok(files.length > 1, files.join());
    const puts = (file: string) => proxy.requests.filter((line) => line.startsWith('PUT') && line.includes(`/${file}`));
    proxy.inject({ on: new RegExp(`^PUT .*/${last}`), stall: true, times: 1 });
    await home.lifeboat(['copy', id, '--to', 'offsite'], (child) => {
      const begun = eventually(async () => assert.equal(puts(last).length, 1));
      begun.then(
        () => child.kill('SIGKILL'),
        () => child.kill('SIGKILL'),
      );
    });
    assert.ok((await keys()).length > 0, 'it was in the middle');
    assert.ok(!(await keys()).some((key) => key.endsWith('manifest.json')), 'it looks like a backup');
    assert.deepEqual(await where(home), ['local']);
    const { report, ...ended } = await copy(home, id, '--to', 'offsite');
    good(ended);
    assert.deepEqual(
      files.map((file) => puts(file).length),
      files.map((file) => (file === last ? 2 : 1)),
      'only what was missing was sent',
    );
    const found = artifacts.slice(0, -1).reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    assert.equal(report.backups[0]?.copied?.foundBytes, found);
    good(await home.lifeboat(['verify', id]));
    assert.deepEqual(await where(home), ['local+offsite']);
  });

  it('fault 54: a bucket that goes away in the middle is told, and what it has by then is not sent again', async () => {
    await using place = await makePlace();
    const { home, proxy, keys } = place;
    const id = await backup(home);
    const { artifacts } = await manifestOf(home, id);
    const last = artifacts.at(-1)?.file ?? '';
    const away = { on: new RegExp(`^PUT .*/${last}`), answer: { status: 403 }, times: Infinity };
    proxy.inject(away);
    const cut = await home.lifeboat(['copy', id, '--to', 'offsite']);
    assert.equal(cut.code, 1, cut.stderr);
    assert.match(cut.stdout, /✖ copied nothing to offsite, 1 failed/);
    assert.match(cut.stderr, /not copied to offsite/);
    assert.equal((await keys()).length, artifacts.length - 1);
    assert.deepEqual(await where(home), ['local']);
    away.times = 0;
    const { report } = await copy(home, id, '--to', 'offsite');
    assert.equal(report.result, 'ok');
    assert.ok((report.backups[0]?.copied?.foundBytes ?? 0) > 0);
  });

  it('fault 74: reads another copy when the first is damaged, and never spreads damage', async () => {
    await using place = await makePlace();
    const { home, keys } = place;
    const id = await backup(home);
    good(await home.lifeboat(['copy', id, '--to', 'second']));
    await damage(await artifactIn(home, 'backups'));
    const other = await home.lifeboat(['copy', id, '--to', 'offsite']);
    good(other);
    assert.match(other.stderr, /shop\.dump\.zst: the copy in local is damaged: .*; taking the one in second/);
    const alone = await backup(home);
    const folder = join(home.folder, 'backups', stack.project, 'db/postgres', alone);
    await damage(join(folder, 'shop.dump.zst'));
    const before = await keys();
    const refused = await home.lifeboat(['copy', alone, '--to', 'offsite']);
    assert.equal(refused.code, 1, refused.stderr);
    assert.match(refused.stderr, /no copy of backup \w{6} is whole: the copy in local is damaged/);
    assert.deepEqual(await keys(), before, 'nothing of it is there');
  });

  it('fault 50: a destination that is full says so, is left as it was, and takes the rest once there is room', async () => {
    let disk = '';
    const mount = (size: number, ...options: string[]) =>
      execFileSync('mount', [...options, '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
    await using held = new AsyncDisposableStack();
    const place = held.use(
      await makePlace((second) => {
        disk = second;
        mount(16 * mib);
      }),
    );
    held.defer(() => void execFileSync('umount', ['-l', disk]));
    const { home } = place;
    const ids = [await backup(home), await backup(home)];
    good(await home.lifeboat(['copy', ids[0] ?? '', '--to', 'second']));
    const kept = (await readdir(disk, { recursive: true })).sort();
    // Room for the lease, not for a backup.
    const used = Number(String(execFileSync('df', ['--output=used', '-B1', disk])).split('\n')[1]);
    execFileSync('mount', ['-o', `remount,size=${used + mib / 2}`, disk]);
    const { report, ...full } = await copy(home, '--all', '--to', 'second');
    assert.equal(full.code, 3, full.stderr);
    assert.equal(report.backups[0]?.error?.code, 'STORE_FULL');
    assert.match(report.backups[0]?.error?.hint ?? '', /free space there/);
    assert.deepEqual((await readdir(disk, { recursive: true })).sort(), kept);
    execFileSync('mount', ['-o', `remount,size=${16 * mib}`, disk]);
    good(await home.lifeboat(['copy', '--all', '--to', 'second']));
    assert.deepEqual(await where(home), ['local+second', 'local+second']);
  });

  it('says what is meant where it is told of something that is not there', async () => {
    await using place = await makePlace();
    const { home } = place;
    await backup(home);
    const asks: [string[], number, RegExp][] = [
      [['db', '--to', 'ofsite'], 2, /there is no destination ofsite[\s\S]*did you mean offsite\?/],
      [['db'], 2, /copy needs the name of a destination: --to NAME/],
      [['--to', 'second'], 2, /copy needs the id of a backup, a target, or --all/],
      [['bd', '--to', 'second'], 13, /did you mean db\?/],
    ];
    for (const [args, code, words] of asks) {
      const ended = await home.lifeboat(['copy', ...args]);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, words);
    }
  });
});
