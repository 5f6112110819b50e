import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { openReceiver, type Received, type Receiver, textsIn } from '../../test/contracts/notifier.ts';
import { degradedSource, failedSource, finishedRun, goodSource, sampleFacts } from '../../test/samples/outcome.ts';
import type { Channel, Concealed, Occasion } from '../domain/channel.ts';
import { LifeboatError } from '../domain/errors.ts';
import { createRedactor } from '../domain/redact.ts';
import { type Clock, systemClock } from './delivery.ts';
import { createNotifiers, type NotifiersOptions, type Warning } from './index.ts';
import { createMemory } from './open-problems.ts';
import { createPoster } from './post.ts';

const standard: readonly Occasion[] = ['failure', 'recovered', 'config-problem'];
const hidden = (text: string): Concealed => ({ reveal: () => text });
const key = () => `whsec_${randomBytes(32).toString('base64')}`;
const slackAt = (url: URL, on = standard): Channel => ({ name: 'slack', url: hidden(url.href), on });
const webhookAt = (url: URL, on = standard, secret?: string): Channel => ({
  name: 'webhook',
  url: hidden(url.href),
  secret: secret === undefined ? undefined : hidden(secret),
  on,
});

/** Notifiers that are quick to try again, and all that they warned of. */
function notifiersFor(channels: readonly Channel[], options: Partial<NotifiersOptions> = {}) {
  const warnings: Warning[] = [];
  const notifiers = createNotifiers(channels, {
    redactor: createRedactor(),
    facts: sampleFacts,
    warn: (warning) => warnings.push(warning),
    retryMs: [20, 20],
    poster: createPoster({ timeoutMs: 30_000 }),
    ...options,
  });
  return { ...notifiers, warnings, said: () => warnings.map(({ channel, message }) => `${channel}: ${message}`) };
}

const typeOf = ({ body }: Received) => JSON.parse(body).type as string;
const failed = finishedRun([failedSource()]);
const later = (ms: number) => new Date(Date.parse(failed.finishedAt) + ms).toISOString();
const good = finishedRun([goodSource()], { finishedAt: later(60_000) });

describe('notifiers', () => {
  it('tell failures and recoveries on every channel, in order, each once, signed', async () => {
    await using slack = await openReceiver();
    await using webhook = await openReceiver();
    const secret = key();
    const notifiers = notifiersFor([slackAt(slack.url), webhookAt(webhook.url, standard, secret)]);
    notifiers.tell(finishedRun([goodSource()]));
    notifiers.tell(failed);
    notifiers.tell(failed);
    notifiers.tell(good);
    notifiers.tell(good);
    await notifiers.close(20_000);
    assert.deepEqual(webhook.received.map(typeOf), ['run.failed', 'run.recovered']);
    assert.equal(new Set(webhook.received.map(({ headers }) => headers['webhook-id'])).size, 2);
    for (const { body, headers } of webhook.received)
      new Webhook(secret).verify(body, headers as Record<string, string>);
    assert.deepEqual(
      slack.received.map(({ body }) => JSON.parse(body).text),
      ['❌ shop: backup of db/postgres failed – last good 27 h ago', '✅ shop: backup of db/postgres works again'],
    );
    assert.deepEqual(notifiers.warnings, []);
  });

  it('deliver after 500, and what came meanwhile in its order, without a duplicate', async () => {
    await using receiver = await openReceiver(500, 503, 200);
    const notifiers = notifiersFor([webhookAt(receiver.url)]);
    notifiers.tell(failed);
    notifiers.tell(good);
    await receiver.got(4);
    await notifiers.close(20_000);
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    assert.deepEqual(receiver.received.map(typeOf), ['run.failed', 'run.failed', 'run.failed', 'run.recovered']);
    assert.equal(new Set(ids.slice(0, 3)).size, 1, 'the id is the same for every attempt');
    assert.notEqual(ids[3], ids[0]);
    assert.deepEqual(notifiers.warnings, []);
  });

  it('wait as long as a receiver asks for', async () => {
    await using receiver = await openReceiver((response) => response.writeHead(429, { 'retry-after': '1' }).end(), 200);
    const notifiers = notifiersFor([slackAt(receiver.url)]);
    notifiers.tell(failed);
    await receiver.got(2);
    await notifiers.close(20_000);
    const [first, second] = receiver.received;
    assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 950);
    assert.deepEqual(notifiers.warnings, []);
  });

  it('stop writing to a receiver that is gone, and tell so through the others', async () => {
    await using slack = await openReceiver(410);
    await using webhook = await openReceiver();
    const notifiers = notifiersFor([slackAt(slack.url), webhookAt(webhook.url)]);
    notifiers.tell(failed);
    await webhook.got(2);
    notifiers.tell(good);
    await notifiers.close(20_000);
    assert.equal(slack.received.length, 1);
    assert.deepEqual(webhook.received.map(typeOf), ['run.failed', 'config.problem', 'run.recovered']);
    const [problem] = JSON.parse(webhook.received[1]?.body ?? '').data.problems;
    assert.deepEqual(problem.where, 'channel slack');
    assert.match(problem.message, /^127\.0\.0\.1:\d+ answered 410 \(status 410\): it wants no more messages$/);
    assert.match(notifiers.said().join(), /^slack: switched off: 127\.0\.0\.1:\d+ answered 410/);
  });

  it('give up on a dead channel, tell so once, and once more when it dies again after it was reached', async () => {
    await using slack = await openReceiver(500);
    await using webhook = await openReceiver();
    const notifiers = notifiersFor([slackAt(slack.url), webhookAt(webhook.url)], { retryMs: [1] });
    const problems = () => webhook.received.filter((request) => typeOf(request) === 'config.problem').length;
    const code = (name: string) => finishedRun([failedSource({ error: { code: name, message: 'm' } })]);
    notifiers.tell(code('A'));
    await slack.got(2);
    notifiers.tell(code('B'));
    await slack.got(4);
    slack.react(200, 500);
    await webhook.got(3);
    await wait(50);
    assert.equal(problems(), 1);
    notifiers.tell(code('C'));
    await slack.got(5);
    notifiers.tell(code('D'));
    await slack.got(7);
    await webhook.got(6);
    await notifiers.close(20_000);
    assert.equal(problems(), 2);
    assert.equal(notifiers.said().filter((text) => text.includes('gave up run.failed after 2 attempts')).length, 3);
  });

  it('never wait for a receiver: dead, silent or slow, the other channel hears at once', async () => {
    await using silent = await openReceiver(() => undefined);
    await using webhook = await openReceiver();
    const notifiers = notifiersFor([slackAt(silent.url), webhookAt(webhook.url)]);
    const begun = performance.now();
    for (let n = 0; n < 10; n++) {
      notifiers.tell(finishedRun([failedSource({ error: { code: `CODE_${n}`, message: 'm' } })]));
    }
    assert.ok(performance.now() - begun < 5_000, 'telling took too long');
    await webhook.got(10);
    assert.ok(performance.now() - begun < 10_000);
    await notifiers.close(300);
    assert.equal(silent.received.length, 1);
    assert.match(notifiers.said().join(), /slack: 10 messages were not delivered before Lifeboat ended/);
  });

  it('end in time with messages that wait, after one last attempt', async () => {
    await using receiver = await openReceiver(500, 200);
    const anHour = 3_600_000;
    const pausing = Promise.withResolvers<void>();
    const sleep: Clock['sleep'] = (ms, signal) => {
      if (ms === anHour) pausing.resolve();
      return systemClock.sleep(ms, signal);
    };
    const clock = { ...systemClock, sleep };
    const notifiers = notifiersFor([webhookAt(receiver.url)], { retryMs: [anHour], clock });
    notifiers.tell(failed);
    notifiers.tell(good);
    await pausing.promise;
    const begun = performance.now();
    await notifiers.close(60_000);
    assert.ok(performance.now() - begun < 30_000);
    assert.deepEqual(receiver.received.map(typeOf), ['run.failed', 'run.failed', 'run.recovered']);
    notifiers.tell(failed);
    await wait(20);
    assert.equal(receiver.received.length, 3);
    assert.deepEqual(notifiers.warnings, []);
  });

  it('never show the address of a channel or a secret, neither in messages nor in warnings', async () => {
    await using slack = await openReceiver();
    await using webhook = await openReceiver();
    const [secret, password] = [key(), 'CANARY-pa$$ <w>'];
    const redactor = createRedactor();
    redactor.add(password);
    const notifiers = notifiersFor([slackAt(slack.url), webhookAt(webhook.url, standard, secret)], { redactor });
    const leak = `${password} ${encodeURIComponent(password)} ${slack.url} ${webhook.url.pathname} ${secret} ${secret.slice(6)}`;
    const error = { code: 'COMMAND_FAILED', message: leak, hint: leak };
    notifiers.tell(finishedRun([failedSource({ error }), degradedSource({ source: 'app/files' })]));
    await Promise.all([slack.got(1), webhook.got(1)]);
    // Receivers that repeat what they should not.
    slack.react((response, { path }) => response.writeHead(500).end(path));
    webhook.react((response) => response.writeHead(500).end(`${secret} ${password}`));
    notifiers.tell(finishedRun([failedSource({ error: { code: 'OTHER', message: leak } })]));
    await Promise.all([slack.got(4), webhook.got(4)]);
    await notifiers.close(20_000);
    assert.ok(notifiers.warnings.length >= 2);
    for (const text of [
      ...textsIn(notifiers.warnings),
      ...[...slack.received, ...webhook.received].map(({ body }) => body),
    ]) {
      assert.doesNotMatch(text, /CANARY|s3cr3t/);
      assert.ok(!text.includes(secret.slice(6, 30)));
    }
    assert.match(textsIn(notifiers.warnings).join('\n'), /127\.0\.0\.1/);
  });

  it('send the login of an address as a login, and never to anybody else', async () => {
    await using receiver = await openReceiver((response) => response.writeHead(401).end());
    const url = new URL(receiver.url);
    url.username = 'lifeboat';
    url.password = 'CANARY%2Fword';
    const notifiers = notifiersFor([webhookAt(url)], { retryMs: [] });
    notifiers.tell(failed);
    await receiver.got(1);
    await notifiers.close(20_000);
    const [request] = receiver.received;
    assert.equal(request?.headers.authorization, `Basic ${Buffer.from('lifeboat:CANARY/word').toString('base64')}`);
    assert.doesNotMatch(JSON.stringify(notifiers.warnings), /CANARY|lifeboat@/);
  });

  it('tell each channel only of the services whose owner named it', async () => {
    await using slack = await openReceiver();
    await using webhook = await openReceiver();
    const facts = {
      ...sampleFacts,
      channelsOf: ({ source }: { source: string }) =>
        ({ 'db/postgres': ['slack'], 'cache/redis': ['webhook'] })[source] ?? [],
    };
    const notifiers = notifiersFor([slackAt(slack.url), webhookAt(webhook.url)], { facts });
    notifiers.tell(
      finishedRun([failedSource(), failedSource({ source: 'cache/redis' }), failedSource({ source: 'mute/files' })]),
    );
    await notifiers.close(20_000);
    assert.doesNotMatch(slack.received[0]?.body ?? '', /cache|mute/);
    const { data } = JSON.parse(webhook.received[0]?.body ?? '');
    assert.deepEqual(
      data.sources.map(({ service }: { service: string }) => service),
      ['cache'],
    );
    assert.equal(data.sources_total, 1);
    assert.equal(data.command, 'docker exec sidecar backup cache/redis');
  });

  it('remember from one process to the next what was told', async () => {
    await using receiver = await openReceiver();
    const memory = createMemory();
    for (const outcome of [failed, failed, good, good]) {
      const notifiers = notifiersFor([webhookAt(receiver.url)], { memory });
      notifiers.tell(outcome);
      await notifiers.close(20_000);
    }
    assert.deepEqual(receiver.received.map(typeOf), ['run.failed', 'run.recovered']);
    const closed = notifiersFor([webhookAt(receiver.url)], { memory });
    await closed.close(0);
    closed.tell(failed);
    assert.deepEqual(memory.load(), {}, 'what nobody heard must be told next time');
  });

  it('tell with gaps when nothing else can be found out, and never throw', async () => {
    await using receiver = await openReceiver();
    const broken = () => {
      throw new Error('database disk image is malformed');
    };
    const facts = {
      lifeboat: '0.1.0',
      stack: broken,
      host: broken,
      lastGood: broken,
      nextRunAt: broken,
      channelsOf: broken,
    };
    const notifiers = notifiersFor([webhookAt(receiver.url)], { facts });
    notifiers.tell(failed);
    notifiers.tell(failed);
    notifiers.tell(good);
    await notifiers.close(20_000);
    assert.deepEqual(receiver.received.map(typeOf), ['run.failed', 'run.recovered']);
    assert.match(notifiers.said().join('\n'), /the last good backup is not known: database disk image is malformed/);
    assert.equal(new Set(notifiers.said()).size, notifiers.said().length, 'each is said once');
  });

  it('never throw for an outcome that makes no sense', async () => {
    await using receiver = await openReceiver();
    const notifiers = notifiersFor([webhookAt(receiver.url)]);
    notifiers.tell({ ...failed, sources: undefined } as never);
    notifiers.tell(
      finishedRun([failedSource({ source: '' as never, error: { code: '', message: '' } })], { finishedAt: 'never' }),
    );
    await notifiers.close(20_000);
    assert.match(notifiers.said().join(), /an outcome could not be told/);
    assert.equal(receiver.received.length, 1);
  });

  it('do nothing at all without channels', async () => {
    const notifiers = notifiersFor([]);
    notifiers.tell(failed);
    await notifiers.close(0);
    assert.deepEqual(notifiers.warnings, []);
  });

  it('refuse an address or a signing secret that cannot be used, without repeating it', () => {
    const at = (url: string, secret?: string): Channel => ({
      name: 'webhook',
      url: hidden(url),
      secret: secret === undefined ? undefined : hidden(secret),
      on: standard,
    });
    for (const channel of [
      at('CANARY'),
      at('file:///CANARY'),
      at('ftp://CANARY'),
      at('https://x.example', 'CANARY not base64'),
    ]) {
      assert.throws(
        () => notifiersFor([channel]),
        (error: Error) =>
          error instanceof LifeboatError && error.code === 'CONFIG_INVALID' && !/CANARY/.test(error.message),
      );
    }
  });
});

describe('a receiver under load', () => {
  it('hears of many runs in order over one slow channel', async () => {
    await using receiver: Receiver = await openReceiver((response) => void setTimeout(() => response.end(), 5));
    const notifiers = notifiersFor([webhookAt(receiver.url, ['success'])]);
    for (let n = 0; n < 50; n++) notifiers.tell(finishedRun([goodSource()], { run: `run-${n}` }));
    await notifiers.close(20_000);
    assert.deepEqual(
      receiver.received.map(({ body }) => JSON.parse(body).data.run_id),
      Array.from({ length: 50 }, (_, n) => `run-${n}`),
    );
  });
});
