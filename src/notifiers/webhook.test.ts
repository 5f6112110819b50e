import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { openReceiver, type Received, testNotifier } from '../../test/contracts/notifier.ts';
import { everyMessage, hostileSources, messageAbout } from '../../test/samples/message.ts';
import { degradedSource, failedSource, finishedRun, goodSource, sampleFacts } from '../../test/samples/outcome.ts';
import { signingKeys } from '../domain/signing-secret.ts';
import { createPoster } from './post.ts';
import { createWebhook, webhookBody } from './webhook.ts';

const never = new AbortController().signal;
const options = { name: 'webhook', userAgent: 'Lifeboat/0.1.0', now: () => new Date() };
const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const failure = messageAbout(finishedRun([failedSource()]));

testNotifier('webhook', (url, post) => createWebhook({ ...options, url, post, keys: signingKeys(newSecret()) }));

/** What the receiver's own library makes of a request; throws when it does not accept it. */
const verified = (secret: string, request: Received | undefined) =>
  new Webhook(secret).verify(request?.body ?? '', request?.headers as Record<string, string>);

describe('webhook', () => {
  it('is accepted by the verifier of Standard Webhooks, with every kind of message', async () => {
    await using receiver = await openReceiver();
    const poster = createPoster();
    const secret = newSecret();
    const webhook = createWebhook({ ...options, url: receiver.url, post: poster.post, keys: signingKeys(secret) });
    const hostile = messageAbout(finishedRun(hostileSources(5)));
    for (const message of [...everyMessage, hostile]) await webhook.notify(message, never);
    await poster.close();
    for (const [i, request] of receiver.received.entries()) {
      const event = verified(secret, request) as { type: string; timestamp: string };
      assert.equal(event.type, [...everyMessage, hostile][i]?.type);
      assert.match(event.timestamp, /^\d{4}-.*Z$/);
      assert.match(String(request.headers['webhook-id']), /^[a-zA-Z0-9_-]+$/);
      assert.throws(() => verified(newSecret(), request), /No matching signature/);
      assert.throws(() => verified(secret, { ...request, body: `${request.body} ` }), /No matching signature/);
    }
  });

  it('signs with every key while a secret is replaced', async () => {
    await using receiver = await openReceiver();
    const poster = createPoster();
    const [before, after] = [newSecret(), newSecret()];
    const keys = signingKeys(`${after} ${before}`);
    await createWebhook({ ...options, url: receiver.url, post: poster.post, keys }).notify(failure, never);
    await poster.close();
    for (const secret of [before, after]) assert.ok(verified(secret, receiver.received[0]));
    assert.throws(() => verified(newSecret(), receiver.received[0]));
  });

  it('takes the time of each attempt, and keeps the id: a late one must still be accepted', async () => {
    await using receiver = await openReceiver();
    const poster = createPoster();
    const secret = newSecret();
    let now = new Date(Date.now() - 3_600_000);
    const webhook = createWebhook({
      ...options,
      now: () => now,
      url: receiver.url,
      post: poster.post,
      keys: signingKeys(secret),
    });
    await webhook.notify(failure, never);
    now = new Date();
    await webhook.notify(failure, never);
    await poster.close();
    const [early, late] = receiver.received;
    assert.throws(() => verified(secret, early), /too old/);
    assert.ok(verified(secret, late));
    assert.equal(early?.headers['webhook-id'], late?.headers['webhook-id']);
  });

  it('does without a signature when there is no secret', async () => {
    await using receiver = await openReceiver();
    const poster = createPoster();
    await createWebhook({ ...options, url: receiver.url, post: poster.post, keys: [] }).notify(failure, never);
    await poster.close();
    const [request] = receiver.received;
    assert.equal(request?.headers['webhook-signature'], undefined);
    assert.equal(request?.headers['webhook-id'], failure.id);
    assert.ok(request?.headers['webhook-timestamp']);
  });

  it('says what happened in words that machines understand', () => {
    const run = finishedRun([
      failedSource(),
      degradedSource({ source: 'app/files' }),
      goodSource({ source: 'cache/redis' }),
    ]);
    assert.deepEqual(JSON.parse(webhookBody(messageAbout(run))), {
      type: 'run.failed',
      timestamp: '2026-11-21T06:00:00.000Z',
      data: {
        stack: 'shop',
        host: 'host1',
        lifeboat: '0.1.0',
        summary: '❌ shop: backup of db/postgres failed – last good 27 h ago',
        run_id: '20261121-030000-r7n2p9',
        trigger: 'schedule',
        result: 'partial',
        started_at: '2026-11-21T03:00:00.000Z',
        finished_at: '2026-11-21T06:00:00.000Z',
        sources_total: 3,
        sources_ok: 1,
        sources: [
          {
            stack: 'shop',
            service: 'db',
            source: 'postgres',
            result: 'failed',
            recovered: false,
            error: {
              code: 'COMMAND_FAILED',
              message: 'pg_dump ended with exit code 1',
              hint: 'look at the log of db',
              step: 'dump',
            },
            ...times,
          },
          {
            stack: 'shop',
            service: 'app',
            source: 'files',
            result: 'degraded',
            recovered: false,
            error: {
              code: 'STORE_UNAVAILABLE',
              message: 'AccessDenied: s3:PutObject on shop-backups',
              hint: 'check the key',
              destination: 'offsite',
            },
            backup: kept,
            ...times,
          },
          {
            stack: 'shop',
            service: 'cache',
            source: 'redis',
            result: 'ok',
            recovered: false,
            backup: kept,
            ...times,
          },
        ],
        sources_left_out: 0,
        command: 'docker exec sidecar backup db/postgres app/files',
      },
    });
  });

  it('tells "never" from "not known"', () => {
    const sourceIn = (lastGood: 'none' | undefined) => {
      const facts = { ...sampleFacts, lastGood: () => lastGood };
      return JSON.parse(webhookBody(messageAbout(finishedRun([failedSource()]), { facts }))).data.sources[0];
    };
    assert.equal(sourceIn('none').last_success_at, null);
    assert.equal('last_success_at' in sourceIn(undefined), false);
  });

  it('stays below 20 kB: shortens texts first, then leaves the best sources out and says how many', () => {
    const sources = Array.from({ length: 45 }, (_, i) =>
      i < 40
        ? failedSource({
            source: `s${i}/postgres`,
            error: { code: 'X', message: '密'.repeat(5000), hint: '🔑'.repeat(3000) },
          })
        : goodSource({ source: `s${i}/postgres` }),
    );
    const few = webhookBody(messageAbout(finishedRun(sources.slice(0, 3))));
    assert.ok(Buffer.byteLength(few) < 20_000);
    assert.equal(JSON.parse(few).data.sources.length, 3);
    assert.match(JSON.parse(few).data.sources[0].error.message, /^密+ … 密+$/);
    const many = JSON.parse(webhookBody(messageAbout(finishedRun(sources)))).data;
    assert.ok(Buffer.byteLength(webhookBody(messageAbout(finishedRun(sources)))) < 20_000);
    assert.ok(many.sources.length > 10);
    assert.equal(many.sources.length + many.sources_left_out, 45);
    assert.ok(many.sources.every(({ result }: { result: string }) => result === 'failed'));
    const all = Array.from({ length: 300 }, (_, i) => goodSource({ source: `s${i}/postgres` }));
    const huge = JSON.parse(webhookBody(messageAbout(finishedRun(all)))).data;
    assert.equal(huge.sources.length + huge.sources_left_out, 300);
    assert.equal(huge.sources_total, 300);
  });

  it('shortens problems of the configuration as well', () => {
    const problems = Array.from({ length: 30 }, (_, i) => ({
      where: `${i} ${'密'.repeat(200)}`,
      message: '密'.repeat(2000),
      hint: '密'.repeat(2000),
    }));
    const body = webhookBody(messageAbout({ kind: 'config', at: '2026-11-21T03:00:00.000Z', problems }));
    assert.ok(Buffer.byteLength(body) < 20_000);
    const { data } = JSON.parse(body);
    assert.equal(data.problems.length + data.problems_left_out, 30);
    assert.ok(data.problems.length > 10 && data.problems.length < 20);
  });
});

const times = {
  last_success_at: '2026-11-20T03:00:00.000Z',
  last_success_id: '20261120-030000-m1x7c2',
  last_success_age_seconds: 97_200,
  next_run_at: '2026-11-22T03:00:00.000Z',
};

const kept = {
  id: '20261121-030000-k3f9a2',
  size_bytes: 1_288_490_188,
  stored_bytes: 301_989_888,
  destinations: ['local'],
};

describe('signing secret', () => {
  const bytes = (count: number) => randomBytes(count).toString('base64');

  it('is whsec_ and 24 to 64 bytes in base64, with or without its prefix', () => {
    for (const count of [24, 32, 64]) {
      const secret = bytes(count);
      for (const text of [secret, `whsec_${secret}`]) assert.equal(signingKeys(text)[0]?.length, count);
    }
    assert.equal(signingKeys(`whsec_${bytes(24)}, ${bytes(32)}\n${bytes(64)} `).length, 3);
  });

  it('is refused without being repeated when it is none', () => {
    for (const secret of [
      '',
      ' ',
      bytes(23),
      bytes(65),
      `whsec_${bytes(8)}`,
      'my canary passphrase',
      `${bytes(32)} canary!`,
      'ca-nary_canary-canary_canary-canary_can',
      'whsec_',
    ]) {
      assert.throws(
        () => signingKeys(secret),
        (error: Error & { code?: string; hint?: string }) => {
          assert.equal(error.code, 'CONFIG_INVALID');
          assert.match(error.hint ?? '', /openssl/);
          if (secret.trim().length > 6) assert.ok(!error.message.includes(secret.trim().slice(0, 8)), error.message);
          return true;
        },
      );
    }
  });
});
