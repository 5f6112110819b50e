import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Home, makeHome } from '../support/daemon.ts';
import { docker, runId, startContainer } from '../support/testbed.ts';

type Container = Awaited<ReturnType<typeof startContainer>>;

const first = `lbd${runId}a`;
const second = `lbd${runId}b`;

/** A container whose file is what is backed up; without a project as `docker run` makes it. */
function start(project: string | undefined, kept: string, name?: string): Promise<Container> {
  const labels: Record<string, string> = project
    ? {
        'com.docker.compose.project': project,
        'com.docker.compose.service': 'db',
        'com.docker.compose.container-number': '1',
      }
    : {};
  Object.assign(labels, { 'saved.command.run': 'cat /kept', 'saved.command.restore': "sh -c 'cat >/kept'" });
  return startContainer('debian:trixie-slim', {
    args: ['sh', '-c', `echo ${kept} >/kept; exec sleep infinity`],
    // With a volume in which there might be SQLite files, and are none.
    run: [
      '--init',
      '--volume',
      '/more',
      ...Object.entries(labels).flatMap(([label, value]) => ['--label', `${label}=${value}`]),
    ],
    ...(name === undefined ? {} : { name }),
  });
}

const kept = (container: Container) => docker('exec', container.name, 'cat', '/kept');

describe('stacks side by side', { concurrency: false }, () => {
  let one: Container;
  let two: Container;
  let home: Home;
  before(async () => {
    one = await start(first, 'one');
    two = await start(second, 'two');
    home = await makeHome(`${first},${second}`, { LIFEBOAT_LABEL_PREFIX: 'saved' });
    // What is asked goes through its socket, as in a stack.
    await home.start();
  });
  after(async () => {
    await home?.[Symbol.asyncDispose]();
    await one?.[Symbol.asyncDispose]();
    await two?.[Symbol.asyncDispose]();
  });
  const run = async (...args: string[]) => {
    const ended = await home.lifeboat(args);
    assert.equal(ended.code, 0, ended.stderr);
    return ended.stdout + ended.stderr;
  };

  it('are told apart wherever they are named', async () => {
    const both = new RegExp(`${first}/db/command[\\s\\S]*${second}/db/command|${second}/[\\s\\S]*${first}/`);
    for (const args of [['plan'], ['backup'], ['list'], ['status'], ['verify'], ['logs']])
      assert.match(await run(...args), both, args.join(' '));
  });

  it('are chosen by their stack', async () => {
    assert.doesNotMatch(await run('backup', `${second}/db`), new RegExp(first));
    assert.doesNotMatch(await run('list', `${first}/db/command`), new RegExp(second));
  });

  it('are restored each by itself; a name that both have is refused with those to choose from', async () => {
    for (const container of [one, two]) await docker('exec', container.name, 'sh', '-c', 'echo lost >/kept');
    const ended = await home.lifeboat(['restore', 'db', '--yes']);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, new RegExp(`use one of: ${first}/db/command, ${second}/db/command`));
    assert.deepEqual([await kept(one), await kept(two)], ['lost', 'lost']);
    await run('restore', `${second}/db`, '--yes');
    assert.deepEqual([await kept(one), await kept(two)], ['lost', 'two']);
    // The id of a backup says whose it is: this is what `undo` and `show` print.
    const { backups } = JSON.parse((await home.lifeboat(['list', `${first}/db/command`, '--json'])).stdout);
    await run('restore', 'db/command', '--at', backups.at(-1).short, '--yes');
    assert.deepEqual([await kept(one), await kept(two)], ['one', 'two']);
    // A day means whatever was newest then, also what was saved to get away from: the plan says so.
    const day = new Date().getFullYear() + 1;
    assert.match(await run('restore', `${first}/db`, '--at', `${day}-01-01`, '--dry-run'), /made before a restore/);
  });

  it('give a backup to each other with --to', async () => {
    await run('backup');
    const said = await run('restore', `${first}/db`, '--to', `${second}/db`, '--yes');
    assert.match(said, new RegExp(`is of db/command in stack ${first}, and goes into db/command in stack ${second}`));
    assert.deepEqual([await kept(one), await kept(two)], ['one', 'one']);
    await run('restore', `${second}/db`, '--yes');
    assert.deepEqual([await kept(one), await kept(two)], ['one', 'two']);
    const none = await home.lifeboat(['restore', 'nobody', '--to', `${second}/db`, '--yes']);
    assert.equal(none.code, 13, none.stderr);
    const several = await home.lifeboat(['restore', 'db', '--to', `${second}/db`, '--yes']);
    assert.equal(several.code, 2, several.stderr);
    assert.match(several.stderr, new RegExp(`use one of: ${first}/db/command, ${second}/db/command`));
    assert.deepEqual([await kept(one), await kept(two)], ['one', 'two']);
  });

  it('are no business of a sidecar that is not told of them', async () => {
    await using alone = await makeHome(first, { LIFEBOAT_LABEL_PREFIX: 'saved' });
    const { stdout } = await alone.lifeboat(['plan', '--json']);
    assert.deepEqual(
      JSON.parse(stdout).sources.map(({ stack }: { stack: string }) => stack),
      [first],
    );
  });
});

describe('the whole host', { concurrency: false }, () => {
  it('is looked at when that is asked for, with containers that Compose has not made', async () => {
    const name = `lifeboat-${runId}-${process.pid}-plain`;
    await using plain = await start(undefined, 'plain', name);
    await using composed = await start(first, 'one');
    await using home = await makeHome('', {
      LIFEBOAT_DISCOVERY: 'host',
      LIFEBOAT_PROJECTS: '',
      LIFEBOAT_LABEL_PREFIX: 'saved',
    });
    const planned = JSON.parse((await home.lifeboat(['plan', '--json'])).stdout).sources as { container: string }[];
    const found = planned.map(({ container }) => container).filter((each) => [name, composed.name].includes(each));
    assert.deepEqual(found.toSorted(), [name, composed.name].toSorted());
    // Other containers of this host are other tests'.
    const backup = await home.lifeboat(['backup', name]);
    assert.equal(backup.code, 0, backup.stderr);
    await docker('rm', '-f', plain.name);
    await using again = await start(undefined, 'empty', name);
    const restored = await home.lifeboat(['restore', name, '--yes']);
    assert.equal(restored.code, 0, restored.stderr);
    assert.equal(await kept(again), 'plain');
  });
});
