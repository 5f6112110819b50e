import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openReceiver, type Received } from '../contracts/notifier.ts';
import { makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { docker, eventually, startContainer } from '../support/testbed.ts';

/** A daemon and those it tells, over restarts and with receivers that are dead. */
describe('notifications', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  const typesOf = (received: readonly Received[]) => received.map(({ body }) => String(JSON.parse(body).type));

  it('fault 101: receivers that are dead or never answer hold up neither a backup nor the end of the daemon', async () => {
    await using silent = await openSilence();
    const refused = 'http://127.0.0.1:1/refused';
    await using home = await makeHome(stack.project, {
      LIFEBOAT_NOTIFY_ON: 'success',
      LIFEBOAT_NOTIFY_SLACK_URL: silent.url,
      LIFEBOAT_NOTIFY_WEBHOOK_URL: refused,
    });
    const daemon = await home.start();
    for (let run = 1; run <= 2; run++) {
      const ended = await home.lifeboat(['backup']);
      assert.equal(ended.code, 0, ended.stderr);
    }
    await eventually(async () => assert.equal(silent.connections(), 1, 'Slack was asked, and holds the line'));
    daemon.kill('SIGTERM');
    assert.deepEqual(await daemon.ended, { code: 0, signal: null }, daemon.log());
    assert.match(daemon.log(), /slack: 2 messages were not delivered/);
    assert.match(daemon.log(), /webhook: 2 messages were not delivered/);
    assert.doesNotMatch(daemon.log(), /services\/canary|refused\b.*127/, 'an address is a secret');

    // What nobody heard is told by the next process.
    await using receiver = await openReceiver();
    const next = await home.start({ LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href });
    await receiver.got(2);
    assert.deepEqual(typesOf(receiver.received), ['run.succeeded', 'run.succeeded']);
    next.kill('SIGTERM');
    assert.equal((await next.ended).code, 0, next.log());
  });

  it('a restart neither repeats what was told nor loses a recovery; messages name the host', async () => {
    await using receiver = await openReceiver();
    await using home = await makeHome(stack.project, {
      LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href,
      LIFEBOAT_DEST_OFFSITE_REQUIRED: 'true',
      LIFEBOAT_LABEL_PREFIX: 'lbn',
    });
    const offsite = join(home.folder, 'offsite');
    const labels = ['project', 'service'].flatMap((name) => [
      '--label',
      `com.docker.compose.${name}=${name === 'project' ? stack.project : 'odd'}`,
    ]);
    await using _odd = await startContainer('debian:trixie-slim', {
      args: ['sleep', 'infinity'],
      run: ['--init', ...labels, '--label', 'lbn.shedule=@daily'],
    });
    const once = async (wanted: 0 | 1) => {
      const daemon = await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
      assert.equal((await home.lifeboat(['backup'])).code, wanted);
      daemon.kill('SIGTERM');
      assert.equal((await daemon.ended).code, 0, daemon.log());
    };
    await once(1);
    await once(1);
    await mkdir(offsite);
    await once(0);
    await once(0);
    await rm(offsite, { recursive: true });
    await once(1);
    assert.deepEqual(typesOf(receiver.received), ['config.problem', 'run.failed', 'run.recovered', 'run.failed']);
    const told = receiver.received.map(({ body }) => JSON.parse(body).data);
    const name = await docker('info', '--format', '{{.Name}}');
    assert.deepEqual(new Set(told.map(({ host }) => host)), new Set([name]));
    assert.match(told[0].problems[0].message, /unknown label lbn\.shedule on service odd/);
    assert.match(told[1].sources[0].error.message, /^not in offsite, which is required: /);
  });

  it('fault 65: a backup that lacks one of its destinations is told, and so is its recovery', async () => {
    await using receiver = await openReceiver();
    await using home = await makeHome(stack.project, {
      LIFEBOAT_NOTIFY_WEBHOOK_URL: receiver.url.href,
      LIFEBOAT_LABEL_PREFIX: 'lbn',
    });
    const offsite = join(home.folder, 'offsite');
    await home.start({ LIFEBOAT_DEST_OFFSITE_URL: `file://${offsite}` });
    assert.equal((await home.lifeboat(['backup'])).code, 3);
    await receiver.got(1);
    await mkdir(offsite);
    assert.equal((await home.lifeboat(['backup'])).code, 0);
    await receiver.got(2);
    assert.deepEqual(typesOf(receiver.received), ['run.degraded', 'run.recovered']);
    const [degraded] = receiver.received.map(({ body }) => JSON.parse(body).data.sources[0]);
    assert.equal(degraded.result, 'degraded');
    assert.equal(degraded.error.destination, 'offsite');
    assert.deepEqual(degraded.backup.destinations, ['local']);
  });
});

// --- utils ---

/** Takes connections and never answers. */
async function openSilence() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${port}/services/canary`,
    connections: () => sockets.size,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
