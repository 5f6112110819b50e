import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import type { SqliteOptions } from '../../../src/engines/sqlite/options.ts';
import { docker, runId, shellOf, startContainer, testLabel } from '../../support/testbed.ts';
import { backUp, defaults, optionsOf, restore, signal } from './backup.ts';
import { inApp } from './seed.ts';
import { app, refusal, sleeper, story, writer } from './source.ts';

describe('sqlite finding databases', { concurrency: false }, () => {
  it('takes the folder of a volume that is mounted, not the volume', async () => {
    const volume = `lifeboat-${runId}-parts`;
    await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
    try {
      await docker(
        'run',
        '--rm',
        '-v',
        `${volume}:/v`,
        '--user',
        '0',
        app,
        'sh',
        '-c',
        'mkdir /v/part && chown 1000 /v/part && echo other >/v/app.db',
      );
      const mount = `type=volume,src=${volume},dst=/data,volume-subpath=part`;
      await using source = await writer({ run: ['--mount', mount] });
      const dumped = await backUp(await shellOf(source.id));
      assert.deepEqual(
        dumped.survey.items.map(({ name }) => name),
        ['/data/app.db'],
      );
      await restore(await shellOf(source.id), dumped);
      assert.ok((await story(source.name)) > 20);
    } finally {
      await docker('volume', 'rm', '-f', volume);
    }
  });

  it('does not take what another mount hides from the app', async () => {
    const volume = `lifeboat-${runId}-outer`;
    await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
    try {
      await using inner = await startContainer(app, { ...sleeper, run: ['--init', '-v', `${volume}:/data`] });
      await inApp(
        inner.name,
        `fs.mkdirSync('/data/sub'); for (const p of ['/data/a.db', '/data/sub/b.db']) new DatabaseSync(p).exec('CREATE TABLE t (x)')`,
      );
      await using outer = await startContainer(app, {
        ...sleeper,
        run: ['--init', '-v', `${volume}:/data`, '-v', '/data/sub'],
      });
      const survey = await sqlite.survey(await shellOf(outer.id), defaults, signal());
      assert.deepEqual(
        survey.items.map(({ name }) => name),
        ['/data/a.db'],
      );
    } finally {
      await docker('volume', 'rm', '-f', volume);
    }
  });

  it('takes no container without a writable volume, and no database server', async () => {
    await using bare = await startContainer('debian:trixie-slim', sleeper);
    assert.equal(sqlite.recognise((await shellOf(bare.id)).container), false);
    await using source = await startContainer(app, sleeper);
    const { container } = await shellOf(source.id);
    assert.equal(sqlite.recognise(container), true);
    for (const name of [
      'postgres:17',
      'docker.io/library/mariadb:11',
      'valkey/valkey',
      'reg:5000/x/my-mysql@sha256:ab',
    ]) {
      assert.equal(sqlite.recognise({ ...container, image: name }), false, name);
    }
  });

  it('says where it looked when an app has none', async () => {
    await using source = await startContainer(app, sleeper);
    await docker(
      'exec',
      source.name,
      'sh',
      '-c',
      'echo text >/data/notes.db; : >/data/empty.sqlite; mkfifo /data/pipe.db; head -c 9000 /dev/zero >/data/README',
    );
    const survey = await sqlite.survey(await shellOf(source.id), defaults, signal());
    assert.deepEqual(survey.items, []);
    assert.deepEqual(survey.left, [
      { name: 'SQLite', why: 'no SQLite file found in /data' },
      { name: '/data/empty.sqlite', why: 'not a SQLite database' },
      { name: '/data/notes.db', why: 'not a SQLite database' },
    ]);
  });

  it('takes a database whose beginning is damaged for what it is, as long as its log is there', async () => {
    for (const [act, code] of [
      ['head -c 300 /dev/urandom | dd of=/data/app.db conv=notrunc status=none', 'PROOF_FAILED'],
      [': >/data/app.db', 'DUMP_EMPTY'],
    ] as const) {
      await using source = await writer();
      await docker('kill', source.name);
      await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'sh', '-c', act);
      await assert.rejects(sqlite.survey(await shellOf(source.id), defaults, signal()), refusal(code));
      const survey = await sqlite.survey(await shellOf(source.id), optionsOf({ exclude: ['/data/app.db'] }), signal());
      assert.deepEqual(survey.items, []);
    }
  });

  it('finds them by content, names without an extension included, and leaves out what is excluded or its own', async () => {
    await using source = await startContainer(app, sleeper);
    const paths = [
      '/data/a/b/c/one.db',
      '/data/History',
      '/data/two.sqlite3',
      '/data/skip/three.db',
      '/data/photo.jpg',
    ];
    await inApp(
      source.name,
      `for (const p of process.argv.slice(2)) { fs.mkdirSync(require('node:path').dirname(p), { recursive: true }); const d = new DatabaseSync(p); d.exec('CREATE TABLE t (x)'); d.close(); }`,
      ...paths,
      '/data/one.db.lifeboat-prev-x',
      '/data/.lifeboat-new-x-one.db',
    );
    const shell = await shellOf(source.id);
    const items = async (options: Partial<SqliteOptions>) =>
      (await sqlite.survey(shell, optionsOf(options), signal())).items.map(({ name }) => name).sort();
    assert.deepEqual(await items({}), [
      '/data/History',
      '/data/a/b/c/one.db',
      '/data/skip/three.db',
      '/data/two.sqlite3',
    ]);
    assert.deepEqual(await items({ exclude: ['/data/skip/*'] }), [
      '/data/History',
      '/data/a/b/c/one.db',
      '/data/two.sqlite3',
    ]);
    assert.deepEqual(await items({ files: ['/data/*', '/data/**/*.db'], exclude: ['/data/skip/*'] }), [
      '/data/History',
      '/data/a/b/c/one.db',
      '/data/photo.jpg',
      '/data/two.sqlite3',
    ]);
  });
});
