import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../../src/domain/errors.ts';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import { docker, shellOf, startContainer } from '../../support/testbed.ts';
import { backUp, defaults, optionsOf, read, signal } from './backup.ts';
import { inApp, numbers } from './seed.ts';
import { app, files, refusal, sleeper, withoutHelpers } from './source.ts';

describe('sqlite refusing what is no whole database', { concurrency: false }, () => {
  it('fault 28: refuses a named file that is missing, empty, cut to a stub or none, and makes nothing', async () => {
    await using source = await startContainer(app, sleeper);
    await docker(
      'exec',
      source.name,
      'sh',
      '-c',
      ': >/data/empty.db; echo hello >/data/text.db; ln -s text.db /data/link.db',
    );
    for (const shell of [await shellOf(source.id), await withoutHelpers(source.id)]) {
      for (const [path, code, message] of [
        ['/data/missing.db', 'SOURCE_NOT_FOUND', /does not exist/],
        ['/home/node/missing.db', 'SOURCE_NOT_FOUND', /does not exist/],
        ['/data/empty.db', 'DUMP_EMPTY', /is empty/],
        ['/data/text.db', 'PROOF_FAILED', /not a SQLite database/],
        ['/data/link.db', 'SOURCE_NOT_FOUND', /symbolic link/],
        ['/data/*.sqlite3', 'SOURCE_NOT_FOUND', /no SQLite database matches/],
      ] as const) {
        await assert.rejects(sqlite.survey(shell, optionsOf({ files: [path] }), signal()), refusal(code, message));
      }
    }
    assert.doesNotMatch(await files(source.name), /missing/);
  });

  it('fault 28: a file that vanishes or is emptied after the survey fails the dump and is not made anew', async () => {
    for (const [database, method, what] of [
      ['/data/app.db', 'auto', 'rm'],
      ['/data/app.db', 'auto', ': >'],
      ['/data/app.db', 'pause', 'rm'],
      ['/home/node/app.db', 'auto', 'rm'],
    ] as const) {
      await using source = await startContainer(app, sleeper);
      await inApp(source.name, `new DatabaseSync(process.argv[2]).exec('CREATE TABLE t (x)')`, database);
      const shell = await shellOf(source.id);
      const options = optionsOf({ files: [database], method });
      const survey = await sqlite.survey(shell, options, signal());
      await docker('exec', source.name, 'sh', '-c', `${what} ${database}`);
      for await (const dump of sqlite.dump(shell, survey, options, { counts: 'auto' }, signal())) {
        await assert.rejects(read(shell, dump), LifeboatError, `${what} ${database}`);
      }
      const left = await docker('exec', source.name, 'sh', '-c', `ls ${database}* 2>/dev/null || :`);
      assert.equal(left, what === 'rm' ? '' : database);
    }
  });

  it('fault 28: refuses a source that is cut, and a copy that lacks the log', async () => {
    await using source = await startContainer(app, sleeper);
    await inApp(
      source.name,
      `new DatabaseSync('/data/app.db').exec('CREATE TABLE t (x); INSERT INTO t SELECT randomblob(500) FROM ${numbers(500)}')`,
    );
    await docker('exec', source.name, 'truncate', '-s', '-9000', '/data/app.db');
    await assert.rejects(backUp(await shellOf(source.id)), LifeboatError);
    const artifact = { name: 'app', kind: 'database', extension: 'sqlite', facts: {}, plainBytes: 8192 };
    const counts = [
      { how: 'exact' as const, objects: { 'rows of t': 5001 } },
      { how: 'dump' as const, objects: { 'rows of t': 1 } },
    ];
    const shell = await shellOf(source.id);
    const survey = await sqlite.survey(shell, optionsOf({}), signal());
    await assert.rejects(
      sqlite.review(shell, survey, [{ ...artifact, counts }], defaults, signal()),
      refusal('PROOF_FAILED', /1 instead of 5001/),
    );
  });

  it('accepts a database whose collations only its app has, and says how it was checked', async () => {
    await using source = await startContainer(app, sleeper);
    await inApp(
      source.name,
      `const d = new DatabaseSync('/data/app.db', { defensive: false }); d.exec("CREATE TABLE t (x TEXT); CREATE INDEX i ON t (x); INSERT INTO t VALUES ('a'), ('b'); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t (x TEXT COLLATE icu_root)' WHERE name = 't'"); d.close();`,
    );
    const shell = await shellOf(source.id);
    const survey = await sqlite.survey(shell, defaults, signal());
    for await (const dump of sqlite.dump(shell, survey, defaults, { counts: 'exact' }, signal())) {
      const bytes = await read(shell, dump);
      const proof = await sqlite.prove(shell, dump, Readable.from([bytes]), defaults, signal());
      assert.match(proof.method, /every page was walked.*icu_root/);
      bytes[4096 + 8] = 0xff; // the first page of a tree
      bytes[4096] = 0xff;
      await assert.rejects(
        sqlite.prove(shell, dump, Readable.from([bytes]), defaults, signal()),
        refusal('PROOF_FAILED'),
      );
    }
  });
});
