import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { createPoster } from './post.ts';

/** A port that takes no more connections: its owner sleeps, and the kernel's queue is full. */
async function deafPort(): Promise<{ readonly url: URL; close(): Promise<void> }> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads');
     const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
       parentPort.postMessage(server.address().port);
       setTimeout(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0), 50);
     });`,
    { eval: true },
  );
  const port = await new Promise<number>((resolve) => worker.once('message', resolve));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const queue: Socket[] = [];
  for (let n = 0; n < 6; n++) queue.push(connect(port, '127.0.0.1').on('error', () => undefined));
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {
    url: new URL(`http://127.0.0.1:${port}/hook`),
    close: async () => {
      for (const socket of queue) socket.destroy();
      await worker.terminate();
    },
  };
}

it('does not wait for a connection that is never made', { timeout: 30_000 }, async () => {
  const deaf = await deafPort();
  const hasty = createPoster({ timeoutMs: 300 });
  const patient = createPoster({ timeoutMs: 25_000 });
  try {
    const posting = { url: deaf.url, headers: {}, body: '{}' };
    const begun = performance.now();
    await assert.rejects(hasty.post(posting, new AbortController().signal), /did not answer within 0\.3 s/);
    await assert.rejects(patient.post(posting, AbortSignal.timeout(300)), { code: 'CANCELLED' });
    assert.ok(performance.now() - begun < 10_000);
  } finally {
    await Promise.all([hasty.close(), patient.close(), deaf.close()]);
  }
});

it('has nothing to close when nothing was posted', async () => {
  await createPoster().close();
});
