import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import { createShell } from '../../src/docker/shell.ts';
import { LifeboatError } from '../../src/domain/errors.ts';
import { forgetful, pipeFolder, runId, startContainer, testApi } from '../support/testbed.ts';

const bytes = Buffer.alloc(3_000_000, 'abcdefg');
const command = { argv: ['wc', '-c'], needsImageOnly: true } as const;

/** Bytes of which is known whether they were decoded straight into a pipe. */
function redirectable() {
  const stream = Readable.from([bytes], { objectMode: false });
  let isRedirected = false;
  const writeTo = async () => {
    isRedirected = true;
    throw new LifeboatError('INTERNAL', 'only one of both may read');
  };
  return { input: Object.assign(stream, { writeTo }), isRedirected: () => isRedirected };
}

it('what needs the image only runs in the container where helpers are refused, and misses no byte', async () => {
  await using target = await startContainer('debian:trixie-slim', { args: ['sleep', 'infinity'], run: ['--init'] });
  await using pipes = await pipeFolder();
  const api = await testApi();
  const container = await api.container(target.id);
  assert.ok(container);
  const refusing = {
    ...api,
    createHelper: () => Promise.reject(new LifeboatError('DOCKER_REFUSED', 'the proxy does not allow it')),
  };
  const shell = createShell(refusing, { id: runId, run: runId, pipes }, forgetful(refusing), container, 1_000);
  const { input, isRedirected } = redirectable();
  const finished = await shell.run(command, input, AbortSignal.timeout(60_000));
  assert.equal(finished.stdout.trim(), String(bytes.length));
  assert.equal(isRedirected(), false);

  const place = { kind: 'helper', network: 'none' } as const;
  const wantsHelper = shell.run({ ...command, place }, redirectable().input, AbortSignal.timeout(60_000));
  await assert.rejects(wantsHelper, { code: 'DOCKER_REFUSED' }, 'but not what must not run there');
});
