import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openReceiver, testNotifier, textsIn } from '../../test/contracts/notifier.ts';
import { complaintsAbout } from '../../test/samples/block-kit-limits.ts';
import { everyMessage, hostileSources, hostileText, messageAbout } from '../../test/samples/message.ts';
import { degradedSource, failedSource, finishedRun, goodSource, sampleFacts } from '../../test/samples/outcome.ts';
import { createPoster } from './post.ts';
import { createSlack } from './slack.ts';
import { slackPayload } from './slack-blocks.ts';
import { code, codeBlock, dateToken, escaped } from './slack-text.ts';

const never = new AbortController().signal;
const options = { name: 'slack', userAgent: 'Lifeboat/0.1.0' };

testNotifier('slack', (url, post) => createSlack({ ...options, url, post }));

/** All that Slack would obey: mentions, links, dates. */
const commandsIn = (text: string) => text.match(/<[^>]*>?/g) ?? [];

describe('slack', () => {
  it('keeps all limits of Block Kit with every kind of message', () => {
    for (const message of everyMessage) assert.deepEqual(complaintsAbout(slackPayload(message)), [], message.type);
  });

  it('keeps all limits whatever the texts and however many the sources', () => {
    for (const count of [1, 2, 3, 7, 60]) {
      const message = messageAbout(finishedRun(hostileSources(count)));
      assert.deepEqual(complaintsAbout(slackPayload(message)), [], `${count} sources`);
    }
    const problems = Array.from({ length: 40 }, (_, i) => ({
      where: hostileText,
      message: `${i} ${hostileText}`,
      hint: hostileText,
    }));
    const config = messageAbout({ kind: 'config', at: '2026-11-21T03:00:00.000Z', problems });
    assert.deepEqual(complaintsAbout(slackPayload(config)), []);
    const empty = messageAbout(
      finishedRun([failedSource({ source: '/', error: { code: '', message: '', hint: '' } })], { trigger: '' }),
      { facts: { lifeboat: '', stack: () => '', host: () => '' } },
    );
    assert.deepEqual(complaintsAbout(slackPayload(empty)), []);
  });

  it('never obeys a text from outside', () => {
    for (const count of [1, 3]) {
      const run = finishedRun(hostileSources(count), { trigger: '<!everyone>' });
      for (const text of textsIn(slackPayload(messageAbout(run)))) {
        for (const command of commandsIn(text)) assert.match(command, /^<!date\^\d+\^/);
      }
    }
  });

  it('never lets a text out of its code block', () => {
    const message = 'a ``` b ` c <!here> ```';
    const payload = slackPayload(messageAbout(finishedRun([failedSource({ error: { code: 'X', message } })])));
    const block = textsIn(payload).find((text) => text.includes('```'));
    assert.equal(block, "```a ''' b ' c &lt;!here&gt; '''```");
  });

  it('tells what a person wants to know first', () => {
    const payload = slackPayload(messageAbout(finishedRun([failedSource(), goodSource({ source: 'app/files' })])));
    assert.equal(payload.text, '❌ shop: backup of db/postgres failed – last good 27 h ago');
    const all = textsIn(payload).join('\n');
    assert.match(all, /❌ Backup failed: db\/postgres/);
    assert.match(all, /shop @ host1/);
    assert.match(
      all,
      /\*Last good\*\n<!date\^1795143600\^\{date_short_pretty\} \{time\}\|20 Nov, \d\d:00 [^>]+> \(27 h ago\)/,
    );
    assert.match(all, /\*Step\*\ndump/);
    assert.match(all, /\*Next try\*\n<!date\^1795316400\^/);
    assert.match(all, /```pg_dump ended with exit code 1```\nlook at the log of db/);
    assert.match(all, /Try again: `docker exec sidecar backup db\/postgres`/);
    assert.match(all, /1 of 2 sources ok · schedule · run r7n2p9 · Lifeboat 0\.1\.0/);
  });

  it('says the age of the oldest when several failed', () => {
    const ages = { 'db/postgres': '2026-11-20T03:00:00.000Z', 'cache/redis': '2026-11-11T06:00:00.000Z' };
    const lastGood = ({ source }: { source: string }) => ({ at: ages[source as keyof typeof ages] });
    const run = finishedRun([failedSource(), failedSource({ source: 'cache/redis' })]);
    const { text } = slackPayload(messageAbout(run, { facts: { ...sampleFacts, lastGood } }));
    assert.equal(text, '❌ shop: backup of db/postgres, cache/redis failed – last good 10 days ago');
  });

  it('says so when there is no good backup at all', () => {
    const facts = { ...sampleFacts, lastGood: () => 'none' as const };
    const payload = slackPayload(messageAbout(finishedRun([failedSource()]), { facts }));
    assert.match(payload.text, /there is no good backup yet/);
    assert.match(textsIn(payload).join('\n'), /\*Last good\*\nnever/);
  });

  it('names the destination that was missed and the copy that was written', () => {
    const all = textsIn(slackPayload(messageAbout(finishedRun([degradedSource()])))).join('\n');
    assert.match(all, /backup of db\/postgres did not reach offsite/);
    assert.match(all, /\*Step\*\n→ offsite/);
    assert.match(all, /The copy in local was written\./);
    assert.doesNotMatch(all, /Last good/);
  });

  it('says what a partial backup lacks', () => {
    const error = { code: 'DUMP_INCOMPLETE', message: 'partial: /uploads: 1 file (busy) changed while being read' };
    const source = goodSource({ source: 'app/files', result: 'partial', error });
    const all = textsIn(slackPayload(messageAbout(finishedRun([source], { result: 'partial' })))).join('\n');
    assert.match(all, /backup of app\/files is only partial/);
    assert.match(all, /1 file \(busy\) changed/);
  });

  it('gives a reason that several sources share only once', () => {
    const sources = ['db/postgres', 'cache/redis', 'app/files'].map((source) =>
      failedSource({ source: source as 'db/postgres', error: { code: 'DOCKER_UNAVAILABLE', message: 'no Engine' } }),
    );
    const error = { code: 'DOCKER_UNAVAILABLE', message: 'no Engine' };
    const texts = textsIn(slackPayload(messageAbout(finishedRun(sources, { error }))));
    assert.equal(texts.filter((text) => text.includes('no Engine')).length, 1);
    assert.ok(texts.some((text) => text.includes('db/postgres') && text.includes('app/files')));
  });

  it('says how many problems it does not show', () => {
    const sources = Array.from({ length: 9 }, (_, i) =>
      failedSource({ source: `s${i}/postgres`, error: { code: 'X', message: `reason ${i}` } }),
    );
    assert.ok(textsIn(slackPayload(messageAbout(finishedRun(sources)))).includes('… and 3 more'));
  });

  it('names what still fails when something else has recovered', () => {
    const before = finishedRun([failedSource(), failedSource({ source: 'cache/redis' })]);
    const after = finishedRun([failedSource(), goodSource({ source: 'cache/redis' })]);
    const payload = slackPayload(messageAbout(after, { before: [before] }));
    assert.equal(payload.text, '✅ shop: backup of cache/redis works again – still failing: db/postgres');
    assert.ok(textsIn(payload).some((text) => text.startsWith('*db/postgres (last good: 27 h ago)*\n```pg_dump')));
  });

  it('turns off everything that Slack does to texts by itself', () => {
    const payload = slackPayload(messageAbout(finishedRun([failedSource()])));
    assert.equal(payload.unfurl_links, false);
    assert.equal(payload.unfurl_media, false);
    const marks = JSON.stringify(payload).split('"type":"mrkdwn"').length - 1;
    assert.equal(JSON.stringify(payload).split('"verbatim":true').length - 1, marks);
  });

  it('sends the plain line alone when Slack does not like the blocks', async () => {
    await using receiver = await openReceiver(400, 200);
    const poster = createPoster();
    await createSlack({ ...options, url: receiver.url, post: poster.post }).notify(
      messageAbout(finishedRun([failedSource()])),
      never,
    );
    await poster.close();
    const [first, second] = receiver.received.map(({ body }) => JSON.parse(body));
    assert.ok(first.blocks);
    const { blocks: _, ...plain } = first;
    assert.deepEqual(second, plain);
    assert.match(second.text, /backup of db\/postgres failed/);
  });

  it('gives the message up when Slack does not even like the plain line', async () => {
    await using receiver = await openReceiver(400);
    const poster = createPoster();
    const sent = createSlack({ ...options, url: receiver.url, post: poster.post }).notify(
      messageAbout(finishedRun([failedSource()])),
      never,
    );
    await assert.rejects(sent, { name: 'Undelivered', fate: 'refused' });
    await poster.close();
    assert.equal(receiver.received.length, 2);
  });
});

describe('text for slack', () => {
  it('fits what is sent, and never cuts an entity or a character', () => {
    for (const text of ['&'.repeat(500), '<>&x'.repeat(100), '🔑'.repeat(200), 'plain', `${'x'.repeat(97)}&&`]) {
      for (const longest of [20, 99, 100, 101]) {
        const sent = escaped(text, longest);
        assert.ok(sent.length <= longest, `${sent.length} of ${longest}`);
        assert.match(sent, /^(&(amp|lt|gt);|[^&<>])*$/);
        assert.ok(sent.isWellFormed());
        assert.ok(sent.length > Math.min(longest, text.length) - 8, 'more was cut away than had to be');
        assert.ok(codeBlock(text, longest).length <= longest);
        assert.ok(code(text, longest).length <= longest);
      }
    }
    assert.equal(escaped('a & <b>', 100), 'a &amp; &lt;b&gt;');
    assert.equal(escaped('xxxxxxxxxx', 10), 'xxxxxxxxxx');
    assert.equal(escaped('xxxxxxxxxxx', 10), 'xxxxxxxxx…');
  });

  it('keeps code on one line', () => {
    assert.equal(code('a\n`b`\tc', 50), "`a 'b' c`");
  });

  it('says so when a time cannot be read', () => {
    assert.equal(dateToken('yesterday'), 'at an unknown time');
    assert.match(dateToken('2026-11-20T03:00:00.900Z'), /^<!date\^1795143600\^/);
  });
});
