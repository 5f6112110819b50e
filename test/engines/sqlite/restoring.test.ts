import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import { docker, eventually, runId, shellOf, startContainer, testLabel } from '../../support/testbed.ts';
import { backUp, defaults, optionsOf, restore, signal } from './backup.ts';
import { fingerprint, inApp, seed } from './seed.ts';
import { app, files, refusal, running, sleeper, story, storyOf, writer } from './source.ts';

describe('sqlite restoring', { concurrency: false }, () => {
  it('fault 84: takes a log that was left behind away with the database it belongs to, and keeps both', async () => {
    await using source = await writer();
    const dumped = await backUp(await shellOf(source.id));
    const [bytes = Buffer.alloc(0)] = dumped.plain.values();
    const saved = await storyOf(bytes);
    await eventually(async () => assert.ok((await story(source.name)) > saved + 20));
    const later = await story(source.name);
    await docker('kill', source.name);
    const steps: string[] = [];
    const restored = await restore(await shellOf(source.id), dumped, {}, steps);
    assert.deepEqual(steps, ['staging', 'checking', 'switching']);
    assert.match(await running(source.name), /^exited/, 'a container that did not run is not started');
    assert.match(restored.kept.join(), /app\.db\.lifeboat-prev-abc123/);
    await docker('start', source.name);
    const next = new RegExp(`writing from row ${saved + 1}\\b`);
    await eventually(async () => assert.match(await docker('logs', source.name), next));
    assert.ok((await story(source.name)) >= saved);
    assert.ok((await story(source.name, '/data/app.db.lifeboat-prev-abc123')) >= later, 'the kept one has its log');
  });

  it('replaces a database that is too damaged to be opened, log and all', async () => {
    await using source = await writer();
    const dumped = await backUp(await shellOf(source.id));
    const [bytes = Buffer.alloc(0)] = dumped.plain.values();
    const saved = await storyOf(bytes);
    await eventually(async () => assert.ok((await story(source.name)) > saved + 20));
    await docker('kill', source.name);
    // Its log alone would heal it: every page was written since the last checkpoint.
    const garble = 'for f in /data/app.db*; do head -c 3000 /dev/urandom | dd of=$f conv=notrunc status=none; done';
    await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'sh', '-c', garble);
    await restore(await shellOf(source.id), dumped);
    await docker('start', source.name);
    const next = new RegExp(`writing from row ${saved + 1}\\b`);
    await eventually(async () => assert.match(await docker('logs', source.name), next));
    assert.ok((await story(source.name)) >= saved);
    assert.match(await files(source.name), /app\.db\.lifeboat-prev-abc123-wal/, 'the log is kept with its database');
  });

  it('fault 75: puts every database back and starts the app when one of them cannot be replaced', async () => {
    const volume = `lifeboat-${runId}-shared`;
    await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
    try {
      await using source = await startContainer(app, {
        ...sleeper,
        run: [...(sleeper.run ?? []), '-v', `${volume}:/data`],
      });
      const [first, second] = ['/data/a.db', '/data/b.db'];
      await inApp(source.name, seed, second, first);
      const dumped = await backUp(await shellOf(source.id));
      await inApp(
        source.name,
        `for (const p of process.argv.slice(2)) { const d = new DatabaseSync(p); d.exec('CREATE TABLE later (x)'); d.close(); }`,
        first,
        second,
      );
      const before = await inApp(source.name, fingerprint, first, second);
      {
        const hold = `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync('/data/b.db'); d.exec('INSERT INTO empty VALUES (1); DELETE FROM empty'); setInterval(() => d.isOpen, 1000)`;
        await using _other = await startContainer(app, {
          run: ['-v', `${volume}:/data`, '--init', '--stop-timeout', '1'],
          args: ['node', '-e', hold],
        });
        await eventually(async () => assert.match(await files(source.name), /b\.db-wal/));
        const started = await running(source.name);
        await assert.rejects(
          restore(await shellOf(source.id), dumped),
          refusal('RESTORE_FAILED', /\/data\/b\.db.*open/),
        );
        assert.match(await running(source.name), /^running/);
        assert.notEqual(await running(source.name), started, 'it was stopped and started');
      }
      assert.equal(await inApp(source.name, fingerprint, first, second), before);
      assert.doesNotMatch(await files(source.name), /lifeboat/);
    } finally {
      await docker('volume', 'rm', '-f', volume);
    }
  });

  it('fault 75: puts the database back when the app could not open what took its place', async () => {
    await using source = await writer();
    const dumped = await backUp(await shellOf(source.id));
    const saved = await story(source.name);
    await docker('exec', '-u', '0', source.name, 'chown', '0:0', '/data');
    await assert.rejects(
      restore(await shellOf(source.id), dumped),
      refusal('RESTORE_FAILED', /cannot be opened by its owner/),
    );
    // The app was started again, but cannot live with that folder.
    await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'chown', '1000:1000', '/data');
    await docker('start', source.name);
    assert.doesNotMatch(await files(source.name), /lifeboat/);
    await eventually(async () => assert.ok((await story(source.name)) >= saved, 'nothing of it was lost'));
  });

  it('gives a new folder to whom it belonged', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bind-'));
    try {
      await using maker = await writer();
      const dumped = await backUp(await shellOf(maker.id));
      await using fresh = await startContainer(app, {
        ...sleeper,
        run: [...(sleeper.run ?? []), '-v', `${folder}:/data`],
      });
      const preview = await sqlite.preview(
        await shellOf(fresh.id),
        dumped.manifest,
        { suffix: 'x' },
        defaults,
        signal(),
      );
      assert.match(preview.lines.join(), /^make \/data\/app\.db/);
      const restored = await restore(await shellOf(fresh.id), dumped);
      assert.deepEqual(restored.kept, []);
      assert.equal(await docker('exec', fresh.name, 'stat', '-c', '%u:%g %a', '/data'), '1000:1000 755');
      assert.ok((await story(fresh.name)) > 20);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('restores beside the live database without stopping anything', async () => {
    for (const database of ['/data/app.db', '/home/node/app.db']) {
      await using source = await writer({ env: { DATABASE: database } });
      const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [database] }));
      const started = await running(source.name);
      await restore(await shellOf(source.id), dumped, { as: 'other.db' });
      assert.equal(await running(source.name), started);
      const beside = database.replace('app.db', 'other.db');
      assert.ok((await story(source.name, beside)) > 20);
      const preview = await sqlite.preview(
        await shellOf(source.id),
        dumped.manifest,
        { as: 'other.db', suffix: 'x' },
        defaults,
        signal(),
      );
      assert.match(preview.refusals.join(), /exists already/);
      await assert.rejects(restore(await shellOf(source.id), dumped, { as: 'other.db' }), refusal('RESTORE_FAILED'));
    }
  });

  it('refuses what cannot be replaced: a single mounted file, a mount the app may only read', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bind-'));
    try {
      await using maker = await writer();
      const dumped = await backUp(await shellOf(maker.id));
      await writeFile(join(folder, 'app.db'), dumped.plain.get('/data/app.db') ?? '');
      await using single = await startContainer(app, {
        ...sleeper,
        run: ['--init', '-v', `${folder}/app.db:/data/app.db`],
      });
      const preview = (id: string) =>
        shellOf(id).then((shell) => sqlite.preview(shell, dumped.manifest, { suffix: 'x' }, defaults, signal()));
      assert.match((await preview(single.id)).refusals.join(), /single file/);
      assert.ok((await backUp(await shellOf(single.id), optionsOf({ files: ['/data/app.db'] }))).plain.size === 1);
      await using readOnly = await startContainer(app, { ...sleeper, run: ['--init', '-v', `${folder}:/data:ro`] });
      assert.match((await preview(readOnly.id)).refusals.join(), /only read/);
      await assert.rejects(
        sqlite.survey(await shellOf(readOnly.id), optionsOf({ files: ['/data/app.db'] }), signal()),
        refusal('SOURCE_NOT_FOUND', /only read/),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('refuses bytes that are whole but not those of the backup', async () => {
    await using source = await writer();
    const dumped = await backUp(await shellOf(source.id));
    const other = {
      ...dumped,
      plain: new Map([['/data/app.db', randomBytes(dumped.plain.get('/data/app.db')?.length ?? 0)]]),
    };
    const started = await running(source.name);
    await assert.rejects(restore(await shellOf(source.id), other), refusal('RESTORE_FAILED', /does not begin/));
    const [artifact] = dumped.manifest.artifacts;
    assert.ok(artifact);
    const counts = artifact.counts.map(({ how, objects }) => ({ how, objects: { ...objects, 'rows of entry': 5 } }));
    const fewer = { ...dumped, manifest: { ...dumped.manifest, artifacts: [{ ...artifact, counts }] } };
    await assert.rejects(restore(await shellOf(source.id), fewer), refusal('RESTORE_FAILED', /instead of 5/));
    assert.equal(await running(source.name), started);
    assert.doesNotMatch(await files(source.name), /lifeboat/);
  });
});
