import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openReceiver } from '../contracts/notifier.ts';
import { good, type Home, listed, makeHome, noise, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { type TestBucket, testBucket } from '../support/s3.ts';

const mib = 1024 ** 2;

describe('a destination in trouble', { concurrency: false }, () => {
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

  const backup = (home: Home) => home.lifeboat(['backup']);
  const rows = () => stack.psql('SELECT count(*) FROM orders');

  it('is told to be new when its history starts, and says how to restore by hand from the first moment on', async () => {
    await using home = await makeHome(stack.project);
    const page = join(home.folder, 'backups/RECOVERY.md');
    const first = await backup(home);
    good(first);
    assert.match(first.stderr, /destination local: file:.* is new: its history starts here/);
    const [one] = await listed(home);
    assert.ok((await readFile(page, 'utf8')).includes(`db/postgres/${one?.id}`));
    const second = await backup(home);
    good(second);
    assert.doesNotMatch(second.stderr, /is new/);
    const [two] = await listed(home);
    assert.ok((await readFile(page, 'utf8')).includes(`db/postgres/${two?.id}`));
    await rm(page);
    await mkdir(join(page, 'in the way'), { recursive: true });
    const third = await backup(home);
    good(third);
    assert.match(third.stderr, /destination local: RECOVERY\.md could not be written/);
  });

  it('fault 51: another disk under the same path is told', async () => {
    await using home = await makeHome(stack.project);
    await using other = await makeHome(stack.project);
    good(await backup(home));
    good(await backup(other));
    await rename(join(home.folder, 'backups'), join(home.folder, 'first'));
    await rename(join(other.folder, 'backups'), join(home.folder, 'backups'));
    const ended = await backup(home);
    good(ended);
    assert.match(ended.stderr, /destination local: .* is another one than before/);
    assert.equal((await listed(home)).length, 2);
  });

  it('a destination that is away degrades backups and stops nothing; it is used again when it is back', async () => {
    await using home = await makeHome(stack.project);
    const offsite = join(home.folder, 'offsite');
    const daemon = await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
    const first = await home.lifeboat(['backup']);
    assert.equal(first.code, 3, first.stderr);
    assert.match(first.stderr, /not in offsite/);
    const degraded = await home.lifeboat(['status']);
    assert.equal(degraded.code, 3);
    assert.match(degraded.stdout, /degraded +db\/postgres[\s\S]*destination offsite cannot be used/);
    assert.equal((await home.lifeboat(['healthcheck'])).code, 0, 'one destination is enough to be well');
    assert.match(daemon.log(), /cannot be used: .*offsite/);
    const list = await home.lifeboat(['list']);
    assert.equal(list.code, 3);
    assert.match(list.stderr, /! offsite: /);
    await mkdir(offsite);
    good(await home.lifeboat(['backup']));
    good(await home.lifeboat(['status']));
    assert.deepEqual((await listed(home))[0]?.destinations.toSorted(), ['local', 'offsite']);
    const [, line = ''] = /once that is mended: (copy \w{6} --to offsite)\n/.exec(first.stderr) ?? [];
    good(await home.lifeboat(line.split(' ')));
    assert.deepEqual((await listed(home))[1]?.destinations.toSorted(), ['local', 'offsite']);
  });

  it('a required destination that is away fails the backup; what is elsewhere can be restored', async () => {
    await using home = await makeHome(stack.project, { LIFEBOAT_DEST_OFFSITE_REQUIRED: 'true' });
    const offsite = join(home.folder, 'offsite');
    const daemon = await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
    const first = await home.lifeboat(['backup']);
    assert.equal(first.code, 1, first.stderr);
    assert.match(first.stderr, /✖ db\/postgres .*\n +not in offsite/);
    assert.match(first.stdout, /✖ backed up nothing, 1 failed/);
    const failed = await home.lifeboat(['status']);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /failed +db\/postgres[\s\S]*not in offsite, which is required: /);
    assert.match(daemon.log(), /finished: 1 failed .*not in offsite, which is required/);
    assert.deepEqual((await listed(home))[0]?.destinations, ['local']);
    good(await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']));
    await mkdir(offsite);
    good(await home.lifeboat(['backup']));
    good(await home.lifeboat(['status']));
  });

  it('fault 51: a destination that was unmounted meanwhile is not written to', async () => {
    await using home = await makeHome(stack.project);
    await home.start();
    good(await home.lifeboat(['backup']));
    const backups = join(home.folder, 'backups');
    await rm(backups, { recursive: true });
    await mkdir(backups);
    const backup = await home.lifeboat(['backup']);
    assert.equal(backup.code, 1);
    assert.match(backup.stderr, /was used before, but its lifeboat\.json is gone/);
    assert.deepEqual(await readdir(backups), []);
  });

  it('fault 61: a bucket that was emptied is refused, a prefix with a slip is told to be new', async () => {
    await using home = await makeHome(stack.project, {
      ...bucket.destination('OFFSITE', 'shop'),
      LIFEBOAT_TO: 'offsite',
    });
    good(await backup(home));
    for (const key of await bucket.keys('shop/')) await bucket.remove(key);
    const emptied = await backup(home);
    assert.equal(emptied.code, 1, emptied.stderr);
    assert.match(emptied.stderr, /was used before, but its lifeboat\.json is gone/);
    assert.deepEqual(await bucket.keys('shop/'), []);
    await using slip = await makeHome(stack.project, {
      ...bucket.destination('OFFSITE', 'shpo'),
      LIFEBOAT_TO: 'offsite',
    });
    assert.match((await backup(slip)).stderr, /destination offsite: s3:.*shpo.* is new: its history starts here/);
  });

  it('trusts the certificate authority that the environment names, as its hint says', async () => {
    const settings = { ...bucket.destination('OFFSITE', 'tls', bucket.tlsEndpoint), LIFEBOAT_TO: 'offsite' };
    await using home = await makeHome(stack.project, settings);
    const refused = await backup(home);
    assert.match(refused.stderr, /certificate is not trusted.*NODE_EXTRA_CA_CERTS/);
    await using trusting = await makeHome(stack.project, { ...settings, NODE_EXTRA_CA_CERTS: bucket.ca });
    good(await backup(trusting));
  });

  /** A home whose folder of this name is a disk of its own, which goes away with it. */
  async function homeOnDisk(
    name: string,
    bytes: number,
    settings: (disk: string) => Readonly<Record<string, string>> = () => ({}),
  ) {
    const held = new AsyncDisposableStack();
    let disk = '';
    const home = await makeHome(stack.project, (folder) => {
      disk = join(folder, name);
      mkdirSync(disk, { recursive: true });
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', disk]);
      return settings(disk);
    });
    held.use(home);
    held.defer(() => void execFileSync('umount', ['-l', disk]));
    /** Leaves so many bytes of the disk. */
    const fill = async (left: number) => {
      const { bavail, bsize } = await statfs(disk);
      if (bavail * bsize > left) await writeFile(join(disk, `filler-${bavail}`), Buffer.alloc(bavail * bsize - left));
    };
    const clear = async () => {
      for (const name of await readdir(disk)) if (name.startsWith('filler-')) await rm(join(disk, name));
    };
    return { home, disk, fill, clear, [Symbol.asyncDispose]: () => held.disposeAsync() };
  }

  for (const percent of [0, 50, 99]) {
    it(`fault 50: a disk that is full after ${percent} % of a backup loses that backup only, and says so`, async () => {
      await using place = await homeOnDisk('backups', 16 * mib);
      const { home, fill, clear, disk } = place;
      good(await backup(home));
      const before = await readdir(disk, { recursive: true });
      const [kept] = await listed(home);
      const { stdout } = await home.lifeboat(['show', kept?.id ?? '', '--json']);
      const { manifest } = JSON.parse(stdout) as { manifest: { artifacts: { storedBytes: number }[] } };
      const bytes = manifest.artifacts.reduce((total, { storedBytes }) => total + storedBytes, 0);
      assert.ok(bytes > mib, `${bytes} bytes`);
      // Room for the lease, which is a file as well.
      await fill(Math.max(percent === 0 ? 0 : 16_384, Math.floor((bytes * percent) / 100)));
      const full = await backup(home);
      assert.equal(full.code, 1, full.stderr);
      assert.match(full.stderr, /ENOSPC/);
      assert.match(full.stderr, /free space there, or remove old backups/);
      await clear();
      assert.deepEqual(await readdir(disk, { recursive: true }), before, 'nothing is left of it');
      good(await backup(home));
      assert.equal((await listed(home)).length, 2);
    });
  }

  it('fault 50: a full data folder costs a daemon no backup; a command refuses early', async () => {
    await using place = await homeOnDisk('data', mib);
    const { home, fill, clear } = place;
    const daemon = await home.start();
    good(await backup(home));
    await fill(0);
    good(await backup(home));
    assert.equal((await listed(home)).length, 2);
    daemon.kill('SIGTERM');
    assert.equal((await daemon.ended).code, 0, daemon.log());
    await fill(0);
    const refused = await backup(home);
    assert.equal(refused.code, 10, refused.stderr);
    assert.match(refused.stderr, /the data folder .* cannot be written \(.*(full|ENOSPC)/);
    assert.match(refused.stderr, /a volume with free space/);
    await clear();
    good(await backup(home));
    assert.equal((await listed(home)).length, 3);
  });

  it('fault 50: a full folder for temporary files costs no backup', async () => {
    await using place = await homeOnDisk('tmp', mib, (disk) => ({ TMPDIR: disk }));
    await place.fill(0);
    good(await backup(place.home));
  });

  it('fault 50: a failure is told although no disk of the sidecar has any room', async () => {
    await using receiver = await openReceiver();
    await using place = await homeOnDisk('disk', 16 * mib, (disk) => {
      for (const folder of ['backups', 'data', 'tmp']) mkdirSync(join(disk, folder));
      return {
        LIFEBOAT_DEST_LOCAL_URL: `file://${disk}/backups`,
        LIFEBOAT_DATA_DIR: join(disk, 'data'),
        TMPDIR: join(disk, 'tmp'),
        LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href,
        LIFEBOAT_LABEL_PREFIX: 'lbn', // The containers of tests carry a label that begins like ours.
      };
    });
    const { home, fill, clear } = place;
    await home.start();
    good(await backup(home));
    await fill(0);
    const full = await backup(home);
    assert.equal(full.code, 1, full.stderr);
    await receiver.got(1);
    await clear();
    good(await backup(home));
    await receiver.got(2);
    const told = receiver.received.map(({ body }) => JSON.parse(body));
    assert.deepEqual(
      told.map(({ type }) => type),
      ['run.failed', 'run.recovered'],
    );
    assert.match(told[0].data.sources[0].error.message, /ENOSPC/);
    assert.match(told[0].data.sources[0].error.hint, /free space there, or remove old backups/);
  });

  it('fault 77: when the safety backup fails, the restore is refused and nothing is touched', async () => {
    await using home = await makeHome(stack.project);
    good(await backup(home));
    await stack.psql('INSERT INTO orders SELECT i, md5(i::text) FROM generate_series(1001, 1100) i');
    const databases = () => stack.psql('SELECT datname FROM pg_database ORDER BY 1');
    const before = await databases();
    // The copy can be read, and no new one can be written beside it.
    const folder = join(home.folder, 'backups', stack.project, 'db', 'postgres');
    execFileSync('mount', ['--bind', '-o', 'ro', folder, folder]);
    execFileSync('mount', ['-o', 'remount,ro,bind', folder]);
    try {
      const ended = await home.lifeboat(['restore', 'db', '--yes']);
      assert.equal(ended.code, 1, ended.stderr);
      assert.match(ended.stderr, /the safety backup failed: .*EROFS/);
      assert.match(ended.stderr, /--no-safety-backup/);
      assert.equal(await rows(), '1100');
      assert.equal(await stack.appState(), 'running');
      assert.equal(await databases(), before);
      good(await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']));
      assert.equal(await rows(), '1000');
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});
