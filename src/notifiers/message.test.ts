import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hostileText, messageAbout } from '../../test/samples/message.ts';
import { failedSource, finishedRun, goodSource, sampleFacts } from '../../test/samples/outcome.ts';
import { createRedactor } from '../domain/redact.ts';
import { clip, createCleaner } from './clean.ts';
import type { RunMessage } from './notifier.ts';
import { slackPayload } from './slack-blocks.ts';
import { webhookBody } from './webhook.ts';
import { ageText } from './wording.ts';

const canary = `CANARY<p&ss>"w'rd\`\\ %20 ünï`;
const cleaner = createCleaner(createRedactor());

describe('message', () => {
  it('never holds a secret, wherever it stands and however it was written', () => {
    const pem = '-----BEGIN KEY-----\nCANARYaGVsbG8gd29ybGQ\nCANARYZm9vYmFyYmF6cXV4\n-----END KEY-----';
    const dirty = [
      canary,
      encodeURIComponent(canary),
      JSON.stringify(canary),
      Buffer.from(canary).toString('base64'),
      `postgres://user:CANARYinurl@db/shop`,
      pem,
    ].join(' ');
    // Near every place where a text is cut, so that half a secret would be left.
    for (const lead of [0, 60, 100, 110, 600, 1300, 1320, 1330, 1990, 2000, 20_000]) {
      const bad = `${'y'.repeat(lead)} ${dirty} ${'z'.repeat(lead)}`;
      const error = { code: bad, message: bad, hint: bad };
      const message = messageAbout(
        finishedRun(
          [
            failedSource({
              source: `db/${bad}`,
              stack: bad,
              error,
              destinations: [{ name: bad, result: 'failed', error }],
            }),
          ],
          {
            trigger: bad,
            error,
          },
        ),
        { secrets: [canary, pem], facts: { ...sampleFacts, host: () => bad, stack: () => bad } },
      );
      for (const text of [JSON.stringify(message), webhookBody(message), JSON.stringify(slackPayload(message))]) {
        assert.doesNotMatch(text, /CANARY/, `${lead} characters before it`);
        assert.ok(!text.includes(Buffer.from(canary).toString('base64').slice(4, 20)));
      }
    }
  });

  it('knows a secret also by what is made visible in a name', () => {
    const odd = 'CANARY\twith\u001bodd\nparts';
    const run = finishedRun([failedSource({ source: `db/${odd}`, error: { code: odd, message: odd } })]);
    assert.doesNotMatch(JSON.stringify(messageAbout(run, { secrets: [odd] })), /CANARY|odd/);
  });

  it('leaves its own words alone when they are somebody’s password', () => {
    const message = messageAbout(finishedRun([failedSource()]), { secrets: ['failed', 'run.failed', 'shop'] });
    assert.equal(message.type, 'run.failed');
    assert.equal((message as RunMessage).sources[0]?.result, 'failed');
    assert.equal(message.stack, '[redacted]');
  });

  it('puts the worst first and the recovered before the rest', () => {
    const before = finishedRun([failedSource({ source: 'c/x' })]);
    const after = finishedRun([
      goodSource({ source: 'a/x' }),
      goodSource({ source: 'c/x' }),
      failedSource({ source: 'd/x' }),
      goodSource({ source: 'b/x', result: 'degraded' }),
    ]);
    const message = messageAbout(after, { before: [before] }) as RunMessage;
    assert.deepEqual(
      message.sources.map(({ name }) => name),
      ['d/x', 'b/x', 'c/x', 'a/x'],
    );
    assert.deepEqual(
      message.sources.map(({ hasRecovered }) => hasRecovered),
      [false, false, true, false],
    );
  });

  it('names the stack where there are several', () => {
    const message = messageAbout(
      finishedRun([failedSource({ stack: 'shop' }), failedSource({ stack: 'blog' })]),
    ) as RunMessage;
    assert.equal(message.stack, 'shop, blog');
    assert.deepEqual(
      message.sources.map(({ name }) => name),
      ['db/postgres (shop)', 'db/postgres (blog)'],
    );
  });

  it('gives one command that can be typed as it is', () => {
    const commandOf = (...sources: readonly string[]) =>
      messageAbout(finishedRun(sources.map((source) => failedSource({ source: source as 'db/postgres' })))).command;
    assert.equal(commandOf('db/postgres'), 'docker exec sidecar backup db/postgres');
    assert.equal(commandOf('a/x', 'b/x', 'c/x'), 'docker exec sidecar backup a/x b/x c/x');
    assert.equal(commandOf('a/x', 'b/x', 'c/x', 'd/x'), 'docker exec sidecar backup');
    assert.equal(commandOf('a/$(reboot)'), "docker exec sidecar backup 'a/$(reboot)'");
    assert.equal(commandOf(`a/${'x'.repeat(500)}`), undefined, 'half a command is worse than none');
    assert.equal(commandOf('a/\u001b'), undefined);
  });

  it('stays small whatever the run', () => {
    const error = { code: 'X', message: hostileText, hint: hostileText };
    const message = messageAbout(
      finishedRun(
        Array.from({ length: 200 }, (_, i) =>
          failedSource({
            source: `s${i}/x`,
            ...(i < 2 ? { error } : {}),
            destinations: Array(50).fill({ name: 'd', result: 'failed', error: { code: 'X', message: 'm' } }),
          }),
        ),
      ),
    ) as RunMessage;
    assert.equal(message.sources.length + message.leftOut, 200);
    assert.equal(message.counts.total, 200);
    assert.ok(message.sources.every(({ errors }) => errors.length <= 5));
    assert.ok(JSON.stringify(message).length < 100_000);
  });
});

describe('clean texts', () => {
  it('have nothing that a terminal or a screen obeys', () => {
    for (const text of [cleaner.text(hostileText), cleaner.name(hostileText)]) {
      assert.doesNotMatch(text, /[^\P{Cc}\n]/u);
      assert.doesNotMatch(text, /\p{Cf}/u);
      assert.ok(text.isWellFormed());
    }
    assert.equal(cleaner.text('a\tb\r\nc\rd'), 'a  b\nc\nd');
    assert.equal(cleaner.name('a\nb'), 'a\\u000ab');
  });

  it('are short, and keep their beginning and their end', () => {
    const long = cleaner.text(`first ${'x'.repeat(100_000)} last`);
    assert.ok(long.length <= 2000);
    assert.match(long, /^first x+ … x+ last$/);
    assert.ok(cleaner.name('n'.repeat(5000)).length <= 120);
    const lines = cleaner.text(Array.from({ length: 100 }, (_, i) => `line ${i}`).join('\n')).split('\n');
    assert.equal(lines.length, 15);
    assert.deepEqual([lines[0], lines[5], lines[14]], ['line 0', '… 86 lines …', 'line 99']);
  });

  it('say so when there is no text', () => {
    assert.equal(cleaner.text(' \n '), 'no reason given');
    assert.equal(cleaner.name(''), '');
  });

  it('are never cut in the middle of a character', () => {
    for (let longest = 10; longest < 30; longest++) {
      const text = clip('🔑'.repeat(40), longest);
      assert.ok(text.isWellFormed() && text.length <= longest);
    }
    assert.equal(clip('whole', 5), 'whole');
  });

  it('say ages as people do', () => {
    const texts = [
      -5,
      0,
      119_999,
      120_000,
      89 * 60_000,
      90 * 60_000,
      27 * 3_600_000,
      48 * 3_600_000,
      86_400_000 * 400,
    ].map(ageText);
    assert.deepEqual(texts, [
      'a minute',
      'a minute',
      'a minute',
      '2 min',
      '89 min',
      '1 h',
      '27 h',
      '2 days',
      '400 days',
    ]);
  });
});
