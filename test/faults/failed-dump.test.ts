import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Status } from '../../src/runs/status/status.ts';
import { openReceiver, type Receiver } from '../contracts/notifier.ts';
import { type Daemon, type Home, makeHome } from '../support/daemon.ts';
import { postgresReady, psql } from '../support/postgres.ts';
import type { Ended } from '../support/stack.ts';
import {
  docker,
  dockerWithInput,
  eventually,
  everyVersion,
  nastyPassword,
  runId,
  startContainer,
} from '../support/testbed.ts';

/** The real program, for what stands before it in the PATH of the container. */
const real = '/usr/lib/postgresql/17/bin/pg_dump';
/** Says what it has, and where it stands, before it waits for what happens to it. */
const half = `${real} "$@" | head -c 200000; touch /tmp/dumping; sleep 300`;

/** The same faults, without a daemon, are held to in exec.test.ts and pipe.test.ts. */
const skip = !everyVersion && 'npm run test:all';

describe('a dump that goes wrong while a daemon watches', { concurrency: false }, () => {
  const project = `lbp${runId}${process.pid}`;
  const labels = Object.entries({ project, service: 'db', 'container-number': '1' }).flatMap(([name, value]) => [
    ...['--label', `com.docker.compose.${name}=${value}`],
  ]);
  const env = { POSTGRES_PASSWORD: nastyPassword, POSTGRES_DB: 'shop' };
  let db: Awaited<ReturnType<typeof startContainer>>;
  let home: Home;
  let receiver: Receiver;
  let daemon: Daemon;

  const seed = async () => {
    await postgresReady(db.name);
    await psql(db.name, 'CREATE TABLE orders AS SELECT i AS id, md5(i::text) note FROM generate_series(1, 20000) i');
  };
  before(async () => {
    db = await startContainer('postgres:17', { env, run: labels });
    receiver = await openReceiver();
    home = await makeHome(project, {
      LIFEBOAT_NOTIFY_ON: 'failure, recovered',
      LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href,
      LIFEBOAT_LABEL_PREFIX: 'saved', // The containers of tests carry a label that begins like ours.
    });
    await seed();
    daemon = await home.start();
    good(await backup());
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
    await db[Symbol.asyncDispose]();
  });

  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  const backup = () => home.lifeboat(['backup', 'db']);
  const listed = async () => (await home.lifeboat(['list', '--json'])).stdout;
  const root = (script: string) => docker('exec', '-u', 'root', db.name, 'sh', '-c', script);
  const told = (type: string) => {
    const messages = receiver.received.map(({ body }) => JSON.parse(body) as { type: string });
    return messages.filter((message) => message.type === type).map((message) => JSON.stringify(message));
  };

  /** Puts a script before pg_dump; its version is always told. */
  const shim = (script: string) =>
    dockerWithInput(
      `#!/bin/bash\n[ "$1" = --version ] && exec ${real} --version\n${script}\n`,
      ...[
        'exec',
        '-i',
        '-u',
        'root',
        db.name,
        'sh',
        '-c',
        'rm -f /tmp/dumping; cat >/usr/local/bin/pg_dump; chmod 755 /usr/local/bin/pg_dump',
      ],
    );
  const isDumping = () => eventually(() => docker('exec', db.name, 'test', '-e', '/tmp/dumping'));

  /** The backup fails with these words, everybody is told, nothing looks like a backup; and the next one is good. */
  async function fails(
    words: RegExp,
    strike: () => Promise<unknown> = async () => {},
    heal: () => Promise<unknown> = async () => {},
  ) {
    const before = await listed();
    const [failures, recoveries] = [told('run.failed').length, told('run.recovered').length];
    const failing = backup();
    await strike();
    const ended = await failing;
    assert.equal(ended.code, 1, ended.stdout + ended.stderr);
    assert.match(ended.stderr, words);
    await eventually(async () => assert.equal(told('run.failed').length, failures + 1));
    const message = told('run.failed').at(-1) ?? '';
    assert.match(
      (JSON.parse(message) as { data: { sources: { error: { message: string; hint?: string } }[] } }).data.sources
        .map(({ error }) => `${error.message} ${error.hint ?? ''}`)
        .join(),
      words,
    );
    for (const said of [ended.stdout, ended.stderr, message, daemon.log()]) assert.doesNotMatch(said, /HOME%s|p w\\*"/);
    assert.equal(await listed(), before);
    const files = await readdir(join(home.folder, 'backups'), { recursive: true });
    assert.deepEqual(
      files.filter((name) => name.includes('partial')),
      [],
    );
    const status = await home.lifeboat(['status', '--json']);
    assert.equal((JSON.parse(status.stdout) as Status).sources[0]?.lastRun?.result, 'failed');
    await heal();
    await root('rm -f /usr/local/bin/pg_dump /tmp/dumping');
    good(await backup());
    await eventually(async () => assert.equal(told('run.recovered').length, recoveries + 1));
  }

  it('fault 1: the tool fails after half its output; its last words are told, without the password in them', async () => {
    await shim(`${real} "$@" | head -c 200000
      echo "pg_dump: error: block 7 is gone: postgresql://postgres:$PGPASSWORD@127.0.0.1/shop?password=$PGPASSWORD" >&2; exit 1`);
    await fails(/exit code 1.*block 7 is gone/s);
  });

  it('fault 2: the tool ends well without a byte', async () => {
    await shim('exit 0');
    await fails(/the dump of \w+ is empty/);
  });

  it('fault 3: the tool is gone (127)', async () => {
    await root(`mv ${real} ${real}.aside`);
    await fails(/postgres:17 has no pg_dump.*tools-image/s, undefined, () => root(`mv ${real}.aside ${real}`));
  });

  it('fault 3: the tool cannot be run (126)', { skip }, async () => {
    await root(`chmod 644 ${real}`);
    await fails(/postgres:17 has no pg_dump.*tools-image/s, undefined, () => root(`chmod 755 ${real}`));
  });

  it('fault 4: its container is killed', async () => {
    await shim(half);
    const kill = async () => isDumping().then(() => docker('kill', db.name));
    await fails(/not running/, kill, async () => docker('start', db.name).then(() => postgresReady(db.name)));
  });

  it('fault 5: its container is restarted', { skip }, async () => {
    await shim(half);
    const restart = async () => isDumping().then(() => docker('restart', '-t', '0', db.name));
    await fails(/was restarted meanwhile|not running/, restart, () => postgresReady(db.name));
  });

  it('fault 6: another container takes its name', async () => {
    await shim(half);
    const recreate = async () => {
      await isDumping();
      await docker('rm', '-f', '-v', db.name);
      db = await startContainer('postgres:17', { env, run: labels, name: db.name });
    };
    await fails(/was removed meanwhile|replaced/, recreate, seed);
  });

  it('fault 7: its process is killed', { skip }, async () => {
    await shim(`${real} "$@" | head -c 200000; kill -KILL $$`);
    await fails(/137|killed/i);
  });

  it('fault 11: its container is paused, and stays so', { skip }, async () => {
    await shim(half);
    const pause = async () => isDumping().then(() => docker('pause', db.name));
    await fails(/paused/, pause, async () => {
      assert.equal(await docker('inspect', '-f', '{{.State.Paused}}', db.name), 'true');
      await docker('unpause', db.name);
    });
  });

  // As it comes from a pipe: where pg_dump can seek it notes where its blocks lie, and pg_restore reads less of them.
  for (const [what, damage, isRare] of [
    ['lacks its last byte', 'head -c -1 /tmp/whole', false],
    ['is cut in the middle', 'head -c 300000 /tmp/whole', true],
    [
      'has a flipped bit in its table of contents',
      `perl -e 'local $/; $_ = <>; substr($_, 60, 1) ^= "\\x01"; print' /tmp/whole`,
      false,
    ],
  ] as const) {
    it(`fault 22: the tool ends well, but its archive ${what}`, { skip: isRare && skip }, async () => {
      await shim(`${real} "$@" | cat >/tmp/whole && ${damage}; rm /tmp/whole`);
      await fails(/pg_restore does not accept|PROOF_FAILED/);
    });
  }
});
