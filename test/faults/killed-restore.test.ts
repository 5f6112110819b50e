import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openReceiver } from '../contracts/notifier.ts';
import { type Daemon, type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { docker, eventually } from '../support/testbed.ts';

describe('fault 76: a daemon that is killed while it restores', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
    // An index that is not made before somebody holds the switch: a restore is seen while it loads, however slow that is.
    await stack.psql(`CREATE FUNCTION slow(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN
        WHILE current_setting('app.fast', true) IS DISTINCT FROM '1'
            AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'holder') LOOP
          PERFORM pg_sleep(0.1); PERFORM pg_stat_clear_snapshot();
        END LOOP; RETURN i; END $$;
      SET app.fast = '1'; CREATE TABLE slow AS SELECT 1 AS i; CREATE INDEX ON slow (slow(i))`);
  });
  after(() => stack[Symbol.asyncDispose]());

  /** Through a database that no restore touches. */
  const admin = (sql: string) => docker('exec', stack.db, 'psql', '-XqAt', '-U', 'postgres', 'template1', '-c', sql);
  const count = () => stack.psql('SELECT count(*) FROM orders');
  const staged = () => admin("SELECT count(*) FROM pg_database WHERE datname LIKE 'lifeboat_new_%'");
  const loading = () => admin("SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'lifeboat_new_%'");
  const journal = async (home: Home) => {
    const folder = join(home.folder, 'data', 'journal');
    const names = await readdir(folder).catch(() => []);
    return Promise.all(
      names
        .filter((name) => name.endsWith('.json'))
        .map((name) => readFile(join(folder, name), 'utf8').catch(() => '')),
    );
  };

  /** Restores over changed data and kills the daemon as soon as `when` holds; then another daemon puts all in order. */
  async function killedWhen(
    when: (home: Home) => Promise<boolean>,
    killed?: () => Promise<void>,
  ): Promise<{ readonly log: string }> {
    await stack.psql('DELETE FROM orders; INSERT INTO orders SELECT i FROM generate_series(1, 1000) i');
    await using home = await makeHome(stack.project);
    const first = await home.start();
    assert.equal((await home.lifeboat(['backup', 'db'])).code, 0);
    await stack.psql('DELETE FROM orders WHERE id > 10');
    const restoring = home.lifeboat(['restore', 'db', '--yes']);
    await eventually(async () => assert.ok(await when(home)));
    first.kill('SIGKILL');
    await first.ended;
    await restoring;
    assert.notEqual((await journal(home)).length, 0);
    const second: Daemon = await home.start();
    await killed?.();
    await eventually(async () => assert.deepEqual(await journal(home), []), 60_000);
    await eventually(async () => assert.equal(await stack.appState(), 'running'));
    assert.equal(await staged(), '0', 'nothing staged is left');
    return { log: second.log() };
  }

  /** Lets a restore begin its switch, and not come to its end. */
  function holdSwitch() {
    let isHeld = false;
    let holder: Promise<unknown> = Promise.resolve();
    return {
      isBegun: async (home: Home) => {
        if (!isHeld && (await loading()) !== '0') {
          isHeld = true;
          const lock =
            "BEGIN; SELECT FROM pg_database WHERE datname = 'shop' FOR UPDATE; SET application_name = 'holder'; SELECT pg_sleep(120)";
          holder = docker('exec', stack.db, 'psql', '-XqAt', '-U', 'postgres', 'template1', '-c', lock).catch(() => {});
        }
        return (await journal(home)).some((text) => text.includes('"undo"'));
      },
      release: async () => {
        await admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'");
        await holder;
      },
    };
  }

  /** Backs up, and restores as far as into its switch, where it is held. */
  async function heldInSwitch(home: Home) {
    const daemon = await home.start();
    assert.equal((await home.lifeboat(['backup', 'db'])).code, 0);
    const before = await count();
    const held = holdSwitch();
    const restoring = home.lifeboat(['restore', 'db', '--yes']);
    await eventually(async () => assert.ok(await held.isBegun(home)));
    return { daemon, before, restoring };
  }

  it('leaves the live data as it was when it was still staging', async () => {
    const { log } = await killedWhen(async () => (await staged()) !== '0');
    assert.match(log, /restore of [a-z0-9]{6}, (?:staging|switching postgres, shop), was interrupted/);
    assert.ok(['10', '1000'].includes(await count()));
  });

  it('leaves it whole when it had begun to switch, the old or the new', async () => {
    const held = holdSwitch();
    const { log } = await killedWhen(held.isBegun, held.release);
    assert.match(
      log,
      /restore of [a-z0-9]{6}, switching postgres, shop, was interrupted at \S+: (?:the live|it had been)/,
    );
    assert.ok(['10', '1000'].includes(await count()));
  });

  it('leaves who uses it stopped, and says so, as long as the database cannot be asked', async () => {
    await using home = await makeHome(stack.project);
    const { daemon: first, before, restoring } = await heldInSwitch(home);
    first.kill('SIGKILL');
    await first.ended;
    await restoring;
    await docker('stop', '-t', '0', stack.db);
    await using receiver = await openReceiver();
    const second = await home.start({ LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href });
    await eventually(async () => assert.match(second.log(), /app stays stopped.*docker compose start app/));
    await receiver.got(1);
    assert.match(receiver.received[0]?.body ?? '', /restore\.failed.*app stays stopped.*docker compose start app/);
    assert.equal(await stack.appState(), 'exited');
    await docker('start', stack.db);
    await eventually(async () => assert.deepEqual(await journal(home), []), 90_000);
    await eventually(async () => assert.equal(await stack.appState(), 'running'));
    assert.equal(await count(), before);
    assert.equal(receiver.received.length, 1);
  });

  it('fault 75: a database that goes down in the middle of the switch is put right when it is back', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, before, restoring } = await heldInSwitch(home);
    await docker('restart', '-t', '0', stack.db);
    assert.equal((await restoring).code, 1);
    await eventually(async () => assert.deepEqual(await journal(home), []), 60_000);
    assert.equal(await count(), before);
    assert.equal(await staged(), '0', 'nothing staged is left');
    assert.equal(await stack.appState(), 'running');
    daemon.kill('SIGTERM');
    await daemon.ended;
  });

  it('fault 75: one that stays down keeps who uses it stopped, as the error and the status say, until a restore puts it right', async () => {
    await using home = await makeHome(stack.project);
    const { daemon, before, restoring } = await heldInSwitch(home);
    await docker('stop', '-t', '0', stack.db);
    const { code, stderr } = await restoring;
    assert.equal(code, 1);
    assert.match(stderr, /cannot be taken back yet: [\s\S]*app stays stopped.*docker compose start app/);
    assert.equal(await stack.appState(), 'exited');
    const status = await home.lifeboat(['status']);
    assert.equal(status.code, 1);
    assert.match(status.stdout, /neither completed nor taken back – app stays stopped.*docker compose start app/);
    assert.match((await home.lifeboat(['restore', 'db', '--dry-run'])).stderr, /docker compose up -d db/);
    const [, named = ''] = /docker exec sidecar restore (\S+?)\)/.exec(stderr) ?? [];
    assert.equal(named, `${stack.project}/db/postgres`);
    await docker('start', stack.db);
    await eventually(() => count());
    await admin("ALTER ROLE postgres SET app.fast = '1'");
    const again = await home.lifeboat(['restore', named, '--yes']);
    assert.equal(again.code, 0, again.stderr);
    await admin('ALTER ROLE postgres RESET app.fast');
    await eventually(async () => assert.deepEqual(await journal(home), []), 60_000);
    assert.equal(await stack.appState(), 'running');
    assert.equal(await count(), before);
    assert.doesNotMatch((await home.lifeboat(['status'])).stdout, /neither completed/);
    daemon.kill('SIGTERM');
    await daemon.ended;
  });
});
