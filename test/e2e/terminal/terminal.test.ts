import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { database, run, type Stack, startStack } from '../../support/stack.ts';
import { openTerminal } from '../../support/terminal.ts';
import { dockerWithInput, eventually } from '../../support/testbed.ts';

const ctrlC = '\u0003';

/** The lines of the README, typed as they stand there. */
describe('backup and restore as people type them', { concurrency: false }, () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack(database, {}, 'daemon');
    await psql('CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 1000) i');
  });
  after(() => stack[Symbol.asyncDispose]());

  const psql = (sql: string) =>
    dockerWithInput(sql, 'exec', '-i', `${stack.project}-db-1`, 'psql', '-XqAt', '-U', 'postgres', 'shop');
  const compose = (...args: string[]) => ['docker', 'compose', '-f', join(stack.folder, 'compose.yaml'), ...args];
  const lose = () => psql('DELETE FROM orders WHERE id > 10');
  const isBack = async () => assert.equal(await psql('SELECT count(*) FROM orders'), '1000');

  it('docker compose exec, without and with a terminal', async () => {
    const backup = await stack.compose('exec', '-T', 'sidecar', 'backup', 'db');
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stdout, /✔ backed up db\/postgres \(run \w{6}\)/);
    await lose();
    const restore = await stack.compose('exec', '-T', 'sidecar', 'restore', 'db');
    assert.equal(restore.code, 0, restore.stderr);
    assert.match(restore.stderr, /Restore db\/postgres in stack/, 'the plan is shown');
    assert.match(restore.stderr, /✔ db\/postgres {2}safety backup \w{6}/);
    assert.match(restore.stdout, /undo .*\n✔ restored db\/postgres from \w{6} in \S+ \(run \w{6}\)\n$/);
    await isBack();

    const typed = openTerminal(compose('exec', 'sidecar', 'backup', 'db'));
    assert.equal(await typed.ended, 0, typed.screen());
    assert.match(typed.screen(), /✔ db\/postgres {2}\w{6}/);
  });

  it('docker exec -it sidecar restore: a person picks the source and the backup, and types the name of the service', async () => {
    await lose();
    const terminal = openTerminal(['docker', 'exec', '-it', `${stack.project}-sidecar-1`, 'restore']);
    await terminal.shows(/What do you want to restore\?[\s\S]*db\/postgres/);
    terminal.type('\r');
    await terminal.shows(/From when\?[\s\S]*ago/);
    // The safety backup of the restore before is what nobody wants by accident: it says what it is.
    assert.match(terminal.screen(), /before a restore/);
    terminal.type('\r');
    await terminal.shows(/Type db to continue/);
    terminal.type('db\r');
    assert.equal(await terminal.ended, 0, terminal.screen());
    assert.match(terminal.screen(), /Restore db\/postgres in stack[\s\S]*restored db\/postgres from/);
    await isBack();
  });

  it('docker exec -it sidecar restore db: asks for the name of the service, and restores the newest', async () => {
    await lose();
    const terminal = openTerminal(['docker', 'exec', '-it', `${stack.project}-sidecar-1`, 'restore', 'db']);
    await terminal.shows(/Type db to continue/);
    terminal.type('db\r');
    assert.equal(await terminal.ended, 0, terminal.screen());
    await isBack();
  });

  it('a person who types something else, or leaves the picker, changes nothing', async () => {
    await lose();
    const wrong = openTerminal(compose('exec', 'sidecar', 'restore', 'db'));
    await wrong.shows(/Type db to continue/);
    wrong.type('no\r');
    assert.equal(await wrong.ended, 130, wrong.screen());
    assert.match(wrong.screen(), /Nothing was touched/);
    const left = openTerminal(compose('exec', 'sidecar', 'restore'));
    await left.shows(/What do you want to restore\?/);
    left.type(ctrlC);
    assert.equal(await left.ended, 130, left.screen());
    const asked = openTerminal(compose('exec', 'sidecar', 'restore', 'db'));
    await asked.shows(/Type db to continue/);
    asked.type(ctrlC);
    assert.equal(await asked.ended, 130, asked.screen());
    assert.match(asked.screen(), /Nothing was touched/);
    assert.equal(await psql('SELECT count(*) FROM orders'), '10');
  });

  it('a person who leaves with Ctrl-C leaves the run alone, and is told how to end it', async () => {
    const holder = stack.compose(
      ...['exec', '-T', 'db', 'psql', '-XqAt', '-U', 'postgres', 'shop', '-c'],
      "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SET application_name = 'holder'; SELECT pg_sleep(150)",
    );
    const holders = "FROM pg_stat_activity WHERE application_name = 'holder'";
    await eventually(async () => assert.equal(await psql(`SELECT count(*) ${holders}`), '1'));
    const terminal = openTerminal(compose('exec', 'sidecar', 'backup', 'db'));
    await terminal.shows(/db\/postgres dumping/);
    terminal.type(ctrlC);
    assert.equal(await terminal.ended, 130, terminal.screen());
    const [, run = ''] =
      /Detached\. Run (\w{6}) goes on: lifeboat status, lifeboat cancel \1/.exec(terminal.screen()) ?? [];
    assert.match((await stack.lifeboat('status')).stdout, new RegExp(`run ${run} \\(manual\\)`));
    await psql(`SELECT pg_terminate_backend(pid) ${holders}`);
    await holder;
    await eventually(async () => assert.match((await stack.lifeboat('logs', run)).stdout, /finished: 1 ok/), 60_000);
  });

  it('without a terminal and without a target it says what to type', async () => {
    const ended = await stack.compose('exec', '-T', 'sidecar', 'restore');
    assert.equal(ended.code, 2);
    assert.match(ended.stderr, /restore needs a target[\s\S]*restore db/);
  });

  it('docker compose run --rm: refused beside the daemon with what to do, works without it', async () => {
    const beside = await run('docker', compose('run', '--rm', '-T', 'sidecar', 'backup').slice(1));
    assert.equal(beside.code, 11, beside.stderr);
    assert.match(beside.stderr, /the daemon .* is at work here[\s\S]*docker compose exec sidecar/);
    await stack.compose('stop', 'sidecar');
    const backup = await run('docker', compose('run', '--rm', '-T', 'sidecar', 'backup', 'db').slice(1));
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stdout, /✔ backed up db\/postgres \(run \w{6}\)/);
    await psql('INSERT INTO orders SELECT generate_series(11, 1000)');
    const whole = await run('docker', compose('run', '--rm', '-T', 'sidecar', 'backup', 'db').slice(1));
    assert.equal(whole.code, 0, whole.stderr);
    await lose();
    const terminal = openTerminal(compose('run', '--rm', 'sidecar', 'restore', 'db'));
    await terminal.shows(/Type db to continue/);
    terminal.type('db\r');
    assert.equal(await terminal.ended, 0, terminal.screen());
    await isBack();
  });
});
