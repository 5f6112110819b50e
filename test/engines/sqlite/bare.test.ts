import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import { docker, dockerWithInput, eventually, everyVersion, shellOf, startContainer } from '../../support/testbed.ts';
import { backUp, type Dumped, optionsOf, restore, signal } from './backup.ts';
import { app, files, image, refusal, sleeper } from './source.ts';

describe('sqlite in containers with little inside', { concurrency: false }, () => {
  /** A database of which only two rows are in the file and the others in its log, in a container that may be unable to make any. */
  const place = async (name: string, folder: string, rows = 3) => {
    await using maker = await startContainer(app, sleeper);
    const hold = `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync('/home/node/db');
      d.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2); PRAGMA wal_checkpoint');
      for (let i = 2; i < ${rows}; i++) d.exec('INSERT INTO t VALUES (3)');
      require('node:fs').writeFileSync('/home/node/ready', ''); setInterval(() => d.isOpen, 1000)`;
    await docker('exec', '-d', maker.name, 'node', '-e', hold);
    await eventually(async () => assert.match(await files(maker.name, '/home/node'), /ready/));
    const between = await mkdtemp(join(tmpdir(), 'lifeboat-copy-'));
    for (const file of ['db', 'db-wal']) {
      await docker('cp', '-a', `${maker.name}:/home/node/${file}`, join(between, file));
      await docker('cp', '-a', join(between, file), `${name}:${folder}/${file}`);
    }
    await rm(between, { recursive: true });
  };
  const rows = (dumped: Dumped) => dumped.manifest.artifacts[0]?.counts.map(({ objects }) => objects['rows of t']);

  it('fault 20: without a shell', async () => {
    const recipe = `FROM debian:trixie-slim AS base
FROM scratch
COPY --from=base /usr/bin/sleep /sleep
COPY --from=base /usr/lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
COPY --from=base /usr/lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
WORKDIR /state`;
    const bare = 'lifeboat-testbed/no-shell';
    await dockerWithInput(recipe, 'build', '-q', '-t', bare, '-');
    await using source = await startContainer(bare, {
      args: ['/sleep', 'infinity'],
      run: ['--init', '-v', '/vol'],
    });
    for (const folder of ['/state', '/vol']) {
      await place(source.name, folder);
      const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [`${folder}/db`] }));
      assert.deepEqual(rows(dumped)?.slice(1), [3, 3]);
      await place(source.name, folder, 9);
      const restored = await restore(await shellOf(source.id), dumped);
      assert.match(restored.checks.join(), /3 rows as in the backup/);
      const again = await backUp(await shellOf(source.id), optionsOf({ files: [`${folder}/db`] }));
      assert.deepEqual(rows(again)?.slice(1), [3, 3]);
    }
    await assert.rejects(
      sqlite.survey(await shellOf(source.id), optionsOf({ files: ['/state/*'] }), signal()),
      refusal('SOURCE_NOT_FOUND', /name each file/),
    );
  });

  for (const [tool, packages] of [
    ['sqlite3', ['sqlite3']],
    ['python3', ['python3']],
  ] as const) {
    it(`with ${tool} only`, { skip: tool === 'python3' && !everyVersion && 'npm run test:all' }, async () => {
      const tag = await image(`lifeboat-testbed/with-${tool}`, ...packages);
      await using source = await startContainer(tag, {
        ...sleeper,
        run: [...(sleeper.run ?? []), '--tmpfs', '/var/tmp'],
      });
      await docker('exec', source.name, 'mkdir', '-m', '777', '/srv/state');
      await place(source.name, '/srv/state');
      const dumped = await backUp(await shellOf(source.id), optionsOf({ files: ['/srv/state/db'], method: 'online' }));
      assert.equal(dumped.survey.tool.name, tool);
      assert.deepEqual(rows(dumped), [undefined, 3, 3]);
      assert.equal(await docker('exec', source.name, 'sh', '-c', 'ls /tmp'), '');
    });
  }

  it('with nothing at all: paused, or refused when it must be online', async () => {
    await using source = await startContainer('debian:trixie-slim', sleeper);
    await place(source.name, '/srv');
    const shell = await shellOf(source.id);
    assert.deepEqual(rows(await backUp(shell, optionsOf({ files: ['/srv/db'] })))?.slice(1), [3, 3]);
    await assert.rejects(
      sqlite.survey(shell, optionsOf({ files: ['/srv/db'], method: 'online' }), signal()),
      refusal('TOOL_MISSING', /no sqlite3, python3 or Node/),
    );
  });
});
