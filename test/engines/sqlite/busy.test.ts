import assert from 'node:assert/strict';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { Shell } from '../../../src/domain/shell.ts';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import { watchEvents } from '../../support/events.ts';
import { docker, eventually, runId, shellOf } from '../../support/testbed.ts';
import { backUp, optionsOf, restore, signal } from './backup.ts';
import { inApp, numbers } from './seed.ts';
import { files, running, story, storyOf, withoutHelpers, writer } from './source.ts';

/** Calls when a dump takes a file of the container as it is, in the middle of it. */
function whenRead(shell: Shell, called: () => Promise<void>): Shell {
  const copyOut: Shell['copyOut'] = async (path, stop) => {
    await called();
    return shell.copyOut(path, stop);
  };
  return Object.create(shell, { copyOut: { value: copyOut } });
}

describe('sqlite beside a busy writer', { concurrency: false }, () => {
  for (const [how, database, method] of [
    ['a helper', '/data/app.db', 'auto'],
    ['a tool of the container', '/home/node/app.db', 'auto'],
    ['pausing', '/data/app.db', 'pause'],
  ] as const) {
    it(`copies one moment of it by ${how}, and leaves everything to its owner`, async () => {
      await using source = await writer({ env: { DATABASE: database } });
      const before = await story(source.name, database);
      const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [database], method }));
      const after = await story(source.name, database);
      assert.equal(/paused/.test(dumped.survey.consistency), method === 'pause');
      const [bytes = Buffer.alloc(0)] = dumped.plain.values();
      const copied = await storyOf(bytes);
      assert.ok(before <= copied && copied <= after && before < after, `${before} ${copied} ${after}`);
      const counts = dumped.manifest.artifacts[0]?.counts ?? [];
      assert.deepEqual(counts.find(({ how: each }) => each === 'exact')?.objects, { 'rows of entry': copied });
      assert.equal(counts.find(({ how: each }) => each === 'dump')?.objects['rows of entry'], copied);
      const folder = database.slice(0, database.lastIndexOf('/'));
      for (const line of (await files(source.name, folder)).split('\n').filter((each) => each.includes('app.db'))) {
        assert.match(line, / 1000 1000 /);
      }
      await eventually(async () => assert.ok((await story(source.name, database)) > after, 'the app goes on'));
      assert.deepEqual((await docker('exec', source.name, 'ls', '/tmp')).match(/lifeboat/), null);
    });
  }

  it('copies a large one over a scratch volume that goes with the helper', async () => {
    await using source = await writer();
    await inApp(
      source.name,
      `const d = new DatabaseSync('/data/app.db'); d.exec('PRAGMA busy_timeout = 10000; CREATE TABLE big (b)');
      for (let i = 0; i < 9; i++) d.exec('INSERT INTO big SELECT randomblob(8000) FROM ${numbers(1000)}')`,
    );
    await using events = watchEvents();
    const dumped = await backUp(await shellOf(source.id));
    assert.ok((dumped.plain.get('/data/app.db')?.length ?? 0) > 64 * 1024 ** 2);
    const made = (await events.seen()).filter(({ Type, Action }) => Type === 'volume' && Action === 'create');
    assert.match(made.map(({ Actor }) => Actor.ID).join(' '), new RegExp(`lifeboat-helper-${runId}\\S*-scratch`));
    assert.equal(await docker('volume', 'ls', '-q', '--filter', `label=lifeboat.owner=${runId}`), '');
  });

  it('lets the app go on when a backup is given up while it is paused or read', async () => {
    const database = '/home/node/app.db';
    for (const method of ['pause', 'auto'] as const) {
      await using source = await writer({ env: { DATABASE: database } });
      const abort = new AbortController();
      const whileRead: string[] = [];
      const shell = whenRead(await shellOf(source.id), async () => {
        whileRead.push(await running(source.name));
        abort.abort();
      });
      const options = optionsOf({ files: [database], method });
      const survey = await sqlite.survey(shell, options, signal());
      for await (const { produce } of sqlite.dump(shell, survey, options, { counts: 'auto' }, signal())) {
        assert.equal(produce.from, 'command');
        const { stdout } = await shell.output(produce.exec, abort.signal);
        const ended = buffer(stdout);
        if (method === 'auto') abort.abort();
        await assert.rejects(ended);
      }
      if (method === 'pause') assert.match(whileRead.join(), /^paused [^,]*$/);
      else assert.deepEqual(whileRead, []);
      await eventually(async () => assert.match(await running(source.name), /^running/));
      const now = await story(source.name, database);
      await eventually(async () => assert.ok((await story(source.name, database)) > now));
      await eventually(async () => assert.doesNotMatch(await docker('exec', source.name, 'ls', '/tmp'), /lifeboat/));
      await eventually(async () =>
        assert.equal(await docker('ps', '-aq', '--filter', `label=lifeboat.owner=${runId}`), ''),
      );
    }
  });

  it('works where no helper may be made: with the tool of the container, or paused, checked beside us', async () => {
    await using source = await writer();
    for (const [method, warning] of [
      ['auto', /^$/],
      ['pause', /container is paused/],
    ] as const) {
      const shell = await withoutHelpers(source.id);
      const dumped = await backUp(shell, optionsOf({ files: ['/data/app.db'], method }));
      assert.match(dumped.survey.warnings.join(), warning);
      const [bytes = Buffer.alloc(0)] = dumped.plain.values();
      assert.ok((await storyOf(bytes)) > 20);
      const restored = await restore(await withoutHelpers(source.id), dumped);
      assert.match(restored.checks.join(), /byte by byte/);
      assert.ok((await story(source.name)) >= (await storyOf(bytes)));
    }
  });
});
