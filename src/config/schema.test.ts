import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { sampleEngines } from '../../test/samples/config.ts';
import { planned, plannedFor } from './available.ts';
import { variableOf } from './key.ts';
import { createVocabulary, type KeyEntry } from './vocabulary.ts';

const vocabulary = createVocabulary(sampleEngines);
const everyEntry = [vocabulary.stack, vocabulary.service, vocabulary.destination].flatMap((entries) => [
  ...entries.values(),
]);

describe('the schema', () => {
  it('says what every key means', () => {
    const isSwitch = ({ engine, option }: KeyEntry) => engine !== undefined && option === undefined;
    for (const entry of everyEntry.filter((each) => !isSwitch(each))) {
      const means = entry.schema instanceof z.ZodType ? entry.schema.description : undefined;
      assert.match(means ?? '', /^[A-Z].*\.$/, entry.key);
    }
  });

  it('holds every key of the vocabulary that is available, and none that is not', () => {
    const available =
      'enable schedule to timeout retries stop.timeout notify path counts codec codec.level name timezone discovery projects label-prefix strict concurrency jitter run-on-start data-dir log-level log-format restore-delay require-confirm docker.host docker.api-version notify.on notify.slack.url notify.slack.on notify.webhook.url notify.webhook.secret notify.webhook.on';
    const own = [...vocabulary.service.values(), ...vocabulary.stack.values()].filter(
      ({ engine }) => engine === undefined,
    );
    assert.deepEqual(own.map(({ key }) => key).sort(), available.split(' ').sort());
    for (const { key } of everyEntry) assert.equal(plannedFor(key), undefined, key);
    const later =
      'keep.last keep.daily keep.within keep.minimum quiesce group max-age min-size shrink-alert verify verify.schedule verify.query hook.before hook.after.user method exclude include passphrase age.recipients ui ui.port ping.url digest metrics.token api.token notify.email.to notify.ntfy.url mongodb.user';
    for (const key of later.split(' ')) {
      assert.ok(plannedFor(key), key);
      assert.equal(plannedFor(key)?.key, plannedFor(variableOf(key).slice('LIFEBOAT_'.length))?.key, key);
    }
    assert.ok(planned.size > 20);
    for (const key of ['keeper', 'filesystem', 'notify.slack.url', 'agent'])
      assert.equal(plannedFor(key), undefined, key);
  });
});
