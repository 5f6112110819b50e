import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { createShell } from '../../src/docker/shell.ts';
import { LifeboatError } from '../../src/domain/errors.ts';
import { type SocketProxy, startSocketProxy } from '../fakes/socket-proxy.ts';
import { docker, eventually, forgetful, runId, startContainer } from '../support/testbed.ts';

describe('a dump whose connection is cut', { concurrency: false }, () => {
  let proxy: SocketProxy;
  before(async () => {
    proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
  });
  after(() => proxy[Symbol.asyncDispose]());

  for (const [how, trouble, script] of [
    ['reset while it speaks', { resetAfter: 1_000_003 }, 'while :; do head -c 100000 /dev/zero; sleep 0.05; done'],
    ['ended while it is silent', { idleCutMs: 1_000 }, 'exec sleep 3600'],
  ] as const) {
    it(`fault 47: leaves no process in the container, ${how}`, async () => {
      await using container = await startContainer('debian:trixie-slim', {
        args: ['sleep', 'infinity'],
        run: ['--init'],
      });
      const api = await connectDocker({ host: proxy.host });
      const target = await api.container(container.id);
      assert.ok(target);
      const processes = async () => (await docker('top', container.name, '-o', 'pid,args')).split('\n').slice(1);
      const before = await processes();
      const shell = createShell(api, { id: runId, run: runId }, forgetful(api), target, 1_000);
      // It speaks, is seen at work, and the trouble begins: it speaks on.
      const waiting = 'head -c 1000 /dev/zero; until [ -e /tmp/go ]; do sleep 0.1; done; head -c 100000 /dev/zero';
      const { stdout } = await shell.output(
        { argv: ['sh', '-c', `${waiting}; ${script}`] },
        AbortSignal.timeout(60_000),
      );
      let seen: readonly string[] | undefined;
      await assert.rejects(async () => {
        for await (const _chunk of stdout as AsyncIterable<Buffer>) {
          if (seen) continue;
          seen = await processes();
          proxy.trouble = trouble;
          await docker('exec', container.name, 'touch', '/tmp/go');
        }
      }, LifeboatError);
      assert.ok((seen?.length ?? 0) > before.length, 'the dump ran');
      proxy.trouble = {};
      await eventually(async () => assert.deepEqual(await processes(), before));
    });
  }
});
