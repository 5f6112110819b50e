import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DockerApi } from '../../src/docker/api.ts';
import { createQuiescer, goOn, startAgain } from '../../src/docker/quiesce.ts';
import { lockData } from '../../src/runs/control/lock.ts';
import { openJournal } from '../../src/runs/journal/journal.ts';
import { repair } from '../../src/runs/journal/repair.ts';
import { run } from '../support/stack.ts';
import { docker, runId, startContainer, testApi } from '../support/testbed.ts';

const image = 'debian:trixie-slim';

describe('what a killed Lifeboat had taken out of the way', { concurrency: false }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-journal-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const service = (name: string) => ({
    args: ['sleep', 'infinity'],
    run: ['--init', ...composeLabels(name)],
  });
  const quiescer = (api: DockerApi) =>
    createQuiescer(
      api,
      openJournal(folder, () => new Date()),
    );
  const state = (name: string) => docker('inspect', '-f', '{{.State.Status}}', name);

  async function dieHolding(kind: 'stop' | 'pause', id: string): Promise<void> {
    const ended = await run(process.execPath, [join(import.meta.dirname, 'die-holding.ts'), kind, id, folder]);
    assert.equal(ended.stderr.includes('Error'), false, ended.stderr);
    assert.equal((await readdir(folder)).length, 1, 'the intent is on disk');
  }

  async function putBack() {
    const api = await testApi();
    const journal = openJournal(folder, () => new Date());
    const repaired = await repair(journal, {
      startAgain: (role) => startAgain(api, role),
      goOn: (role) => goOn(api, role),
      recover: () => assert.fail('no restore was under way'),
    });
    assert.deepEqual(await readdir(folder), [], 'nothing is left to put back');
    return repaired;
  }

  it('fault 38: a container that was stopped is started at the next start', async () => {
    await using app = await startContainer(image, service('app38'));
    await dieHolding('stop', app.id);
    assert.equal(await state(app.name), 'exited');
    assert.match((await putBack()).done.join(), /started again/);
    assert.equal(await state(app.name), 'running');
  });

  it('fault 38: a container that was paused goes on at the next start', async () => {
    await using app = await startContainer(image, service('app38p'));
    await dieHolding('pause', app.id);
    assert.equal(await state(app.name), 'paused');
    await putBack();
    assert.equal(await state(app.name), 'running');
  });

  for (const [policy, kind, meanwhile] of [
    ['unless-stopped', 'stop', []], // The Engine leaves alone what was stopped before the host went down.
    ['always', 'stop', ['start']],
    ['unless-stopped', 'pause', ['kill', 'start']],
  ] as const) {
    it(`fault 39: with ${policy}, one that was held by ${kind} when the host went down runs afterwards`, async () => {
      const { args, run: more } = service('app39');
      await using app = await startContainer(image, { args, run: [...more, '--restart', policy] });
      await dieHolding(kind, app.id);
      for (const what of meanwhile) await docker(what, app.name);
      const format = '{{.State.Status}} {{.State.StartedAt}} {{.HostConfig.RestartPolicy.Name}}';
      const before = await docker('inspect', '-f', format, app.name);
      await putBack();
      const after = await docker('inspect', '-f', format, app.name);
      assert.match(after, new RegExp(`^running .* ${policy}$`));
      assert.equal(after === before, meanwhile.length > 0, 'what the Engine started by itself is left alone');
    });
  }

  it('fault 40: a container that was stopped by somebody else stays stopped', async () => {
    await using app = await startContainer(image, service('app40'));
    await docker('stop', '-t', '0', app.name);
    const api = await testApi();
    const container = await api.container(app.id);
    assert.ok(container);
    {
      await using _held = await quiescer(api).stop(container, 1_000);
    }
    await putBack();
    assert.equal(await state(app.name), 'exited');
  });

  it('fault 42: one that was recreated before it was stopped is not taken for one that does not run', async () => {
    await using app = await startContainer(image, service('app42r'));
    const api = await testApi();
    const before = await api.container(app.id);
    assert.ok(before);
    await docker('rm', '-f', app.name);
    await using _new = await startContainer(image, { ...service('app42r'), name: app.name });
    await assert.rejects(quiescer(api).stop(before, 1_000), { code: 'SOURCE_REPLACED' });
    await putBack();
  });

  it('fault 11: one that somebody paused is not taken for one that does not run', async () => {
    await using app = await startContainer(image, service('app11'));
    await docker('pause', app.name);
    const api = await testApi();
    const container = await api.container(app.id);
    assert.ok(container);
    await assert.rejects(quiescer(api).stop(container, 1_000), { code: 'QUIESCE_FAILED', hint: /unpause/ });
    await putBack();
    assert.equal(await state(app.name), 'paused');
  });

  it('fault 42: a container that was recreated meanwhile is found by its Compose identity', async () => {
    await using app = await startContainer(image, service('app42'));
    await dieHolding('stop', app.id);
    await docker('rm', '-f', app.name);
    await docker(
      'create',
      '--name',
      app.name,
      '--label',
      `lifeboat.test=${runId}`,
      '--init',
      ...composeLabels('app42'),
      image,
      'sleep',
      'infinity',
    );
    await putBack();
    assert.equal(await state(app.name), 'running');
  });

  it('forgets a container that is gone for good', async () => {
    await using app = await startContainer(image, service('appgone'));
    await dieHolding('stop', app.id);
    await docker('rm', '-f', app.name);
    await putBack();
    await docker('create', '--name', app.name, image);
  });

  it('fault 44: a second writer is refused and told who is at work', async () => {
    await using _first = await lockData(folder, 'the first run', new Date());
    const second = `import { lockData } from '${join(import.meta.dirname, '../../src/runs/control/lock.ts')}';
      await lockData('${folder}', 'second', new Date()).catch((e) => { console.log(e.code, e.message); });`;
    const ended = await run(process.execPath, ['--input-type=module', '-e', second]);
    assert.match(ended.stdout, /^LOCKED the first run \(process \d+, since/);
  });

  it('a lock dies with its owner', async () => {
    const first = `import { lockData } from '${join(import.meta.dirname, '../../src/runs/control/lock.ts')}';
      await lockData('${folder}', 'first', new Date()); process.kill(process.pid, 'SIGKILL');`;
    await run(process.execPath, ['--input-type=module', '-e', first]);
    await using lock = await lockData(folder, 'second', new Date());
    assert.ok(lock);
  });
});

function composeLabels(name: string): string[] {
  return [`project=${runId}`, `service=${name}`, 'container-number=1'].flatMap((label) => [
    '--label',
    `com.docker.compose.${label}`,
  ]);
}
