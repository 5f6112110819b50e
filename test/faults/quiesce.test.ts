import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DockerApi } from '../../src/docker/api.ts';
import { createQuiescer, type Quiescer } from '../../src/docker/quiesce.ts';
import { createShell } from '../../src/docker/shell.ts';
import type { Container } from '../../src/domain/types.ts';
import { openJournal } from '../../src/runs/journal/journal.ts';
import { inApp } from '../engines/sqlite/seed.ts';
import { good, listed, makeHome } from '../support/daemon.ts';
import { docker, runId, startContainer, testApi } from '../support/testbed.ts';

describe('two runs that want the same container out of the way', { concurrency: false }, () => {
  let folder: string;
  let api: DockerApi;
  let quiescer: Quiescer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-quiesce-'));
    api = await testApi();
    quiescer = createQuiescer(
      api,
      openJournal(folder, () => new Date()),
    );
  });
  afterEach(() => rm(folder, { recursive: true }));

  const labels = (project: string) =>
    [`project=${project}`, 'service=app', 'container-number=1'].map((label) => `com.docker.compose.${label}`);
  const sleeper = (names: readonly string[]) => ({
    args: ['sleep', 'infinity'],
    run: ['--init', '--no-healthcheck', ...names.flatMap((label) => ['--label', label])],
  });
  const service = sleeper(labels(`${runId}q`));
  const app = () => startContainer('debian:trixie-slim', service);
  const found = async (id: string): Promise<Container> => {
    const container = await api.container(id);
    assert.ok(container);
    return container;
  };
  const state = (name: string) => docker('inspect', '-f', '{{.State.Status}}', name);
  const open = async () => (await readdir(folder)).length;
  const release = (hold: AsyncDisposable) => hold[Symbol.asyncDispose]();
  /** Whether it still waits after as much was asked of the Engine as it would need. */
  const waits = async (promise: Promise<unknown>) => {
    const pending = Symbol();
    const looked = (async () => {
      for (let i = 0; i < 3; i += 1) await api.containers([]);
      return pending;
    })();
    return (await Promise.race([promise, looked])) === pending;
  };
  const shell = (container: Container) => createShell(api, { id: runId, run: runId }, quiescer, container, 1_000);

  for (const mode of ['stop', 'pause'] as const) {
    it(`fault 41: one to ${mode} is put back when the last of them lets go, and only then`, async () => {
      await using source = await app();
      const container = await found(source.id);
      const take = () => (mode === 'stop' ? quiescer.stop(container, 1_000) : quiescer.pause(container));
      const [first, second] = await Promise.all([take(), take()]);
      const down = mode === 'stop' ? 'exited' : 'paused';
      assert.deepEqual([await state(source.name), await open()], [down, 1]);
      await release(first);
      await release(first);
      assert.deepEqual([await state(source.name), await open()], [down, 1]);
      const third = await take();
      await release(second);
      assert.equal(await state(source.name), down);
      await release(third);
      assert.deepEqual([await state(source.name), await open()], ['running', 0]);
    });
  }

  it('fault 41: who wants it stopped waits until it is not paused any more, as long as nobody cancels', async () => {
    await using source = await app();
    const container = await found(source.id);
    const paused = await quiescer.pause(container);
    const cancelled = new AbortController();
    const given = quiescer.stop(container, 1_000, cancelled.signal);
    const stopping = quiescer.stop(container, 1_000);
    cancelled.abort(new Error('a person cancelled it'));
    await assert.rejects(given, /a person cancelled it/);
    assert.ok(await waits(stopping));
    assert.equal(await state(source.name), 'paused');
    await release(paused);
    const stopped = await stopping;
    assert.equal(await state(source.name), 'exited');
    await release(stopped);
    assert.deepEqual([await state(source.name), await open()], ['running', 0]);
  });

  it('fault 41: what is executed in it waits until another run lets it go on', async () => {
    await using source = await app();
    const container = await found(source.id);
    const held = await shell(container).paused();
    const answer = shell(await found(source.id)).text({ argv: ['echo', 'here'] });
    assert.ok(await waits(answer));
    await release(held);
    assert.equal(await answer, 'here\n');
  });

  it('fault 41: one that a person started meanwhile is stopped for the second, and started once more', async () => {
    await using source = await app();
    const container = await found(source.id);
    const first = await quiescer.stop(container, 1_000);
    await docker('start', source.name);
    const second = await quiescer.stop(container, 1_000);
    assert.equal(await state(source.name), 'exited');
    await release(first);
    assert.equal(await state(source.name), 'exited');
    await release(second);
    assert.deepEqual([await state(source.name), await open()], ['running', 0]);
  });

  it('fault 41: what one of them leaves to the journal is not started by the other, nor forgotten', async () => {
    await using source = await app();
    const container = await found(source.id);
    const first = await quiescer.stop(container, 1_000);
    const second = await quiescer.stop(container, 1_000);
    first.leave();
    await release(second);
    assert.deepEqual([await state(source.name), await open()], ['exited', 1]);
    await docker('start', source.name);
    const next = await quiescer.stop(container, 1_000);
    assert.equal(await state(source.name), 'exited', 'nobody holds it any more');
    await release(next);
    assert.deepEqual([await state(source.name), await open()], ['running', 1]);
  });

  it('fault 42: of one that was recreated while it is held the second is told, and the new one is left alone', async () => {
    await using source = await app();
    const container = await found(source.id);
    const held = await quiescer.stop(container, 1_000);
    await docker('rm', '-f', source.name);
    await using _new = await startContainer('debian:trixie-slim', { ...service, name: source.name });
    await assert.rejects(quiescer.stop(container, 1_000), { code: 'SOURCE_REPLACED' });
    await release(held);
    assert.deepEqual([await state(source.name), await open()], ['running', 0]);
  });

  it('fault 41: several sources of one app that is paused for each are all saved', async () => {
    const project = `${runId}s`;
    const names = ['one', 'two', 'three', 'four'];
    const keys = names.flatMap((name) => [
      `lifeboat.source.${name}.sqlite=/home/node/${name}.db`,
      `lifeboat.source.${name}.sqlite.method=pause`,
    ]);
    await using source = await startContainer(
      'lifeboat-testbed/sqlite-app',
      sleeper([...labels(project), 'lifeboat.sqlite=false', ...keys]),
    );
    await inApp(
      source.name,
      `for (const path of process.argv.slice(2)) {
        const database = new DatabaseSync(path);
        database.exec('CREATE TABLE big AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 32) SELECT randomblob(1000000) FROM c');
        database.close();
      }`,
      ...names.map((name) => `/home/node/${name}.db`),
    );
    await using home = await makeHome(project, { LIFEBOAT_CONCURRENCY: '4' });
    good(await home.lifeboat(['backup', 'app']));
    assert.equal((await listed(home)).length, names.length);
    assert.equal(await state(source.name), 'running');
  });
});
