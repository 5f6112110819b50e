import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { messageAbout } from '../../test/samples/message.ts';
import { failedSource, finishedRun } from '../../test/samples/outcome.ts';
import { asLifeboatError } from '../domain/errors.ts';
import { type Clock, createDelivery, standardRetryMs, systemClock } from './delivery.ts';
import type { Message } from './notifier.ts';
import { createOutbox } from './outbox.ts';
import { Undelivered } from './undelivered.ts';

const message = (id: string): Message => messageAbout(finishedRun([failedSource()]), { id });
const again = (retryAfterMs?: number) => new Undelivered('again', '127.0.0.1 answered 500', retryAfterMs);

/** What becomes of each attempt in turn: taken, or rejected with this. */
type Script = readonly (Undelivered | Error | 'ok' | 'hangs')[];

/** A delivery whose receiver follows a script; the last word of it holds for ever. */
function scripted(script: Script, { clock = leaping() as Clock, retryMs = standardRetryMs, capacity = 100 } = {}) {
  const attempts: string[] = [];
  const warnings: string[] = [];
  const dead: string[] = [];
  let cut = 0;
  let reached = 0;
  const outbox = createOutbox({ capacity });
  const delivery = createDelivery(
    {
      name: 'test',
      notify: async ({ id }, signal) => {
        attempts.push(id);
        const fate = script[Math.min(attempts.length, script.length) - 1];
        if (fate === 'hangs') {
          await new Promise((_, reject) =>
            signal.addEventListener('abort', () => {
              cut += 1;
              reject(asLifeboatError(signal.reason));
            }),
          );
        } else if (fate !== 'ok') throw fate;
      },
    },
    outbox,
    {
      clock,
      retryMs,
      warn: (text) => warnings.push(text),
      onReached: () => {
        reached += 1;
      },
      onDead: (why) => dead.push(why),
    },
  );
  return { delivery, outbox, attempts, warnings, dead, clock, reached: () => reached, cut: () => cut };
}

/** A clock whose pauses are over at once; `slept` are their lengths. */
function leaping(): Clock & { slept: number[] } {
  let now = Date.parse('2026-11-21T03:00:00.000Z');
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(now),
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      slept.push(ms);
      now += ms;
    },
  };
}

/** Pauses of the leaping clock take no time, so that everything that can happen has happened after a turn or two. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await wait(0);
}

describe('delivery', () => {
  it('tries again after 5 s, 1 min, 10 min and 1 h, then gives up and says so', async () => {
    const clock = leaping();
    const { delivery, attempts, warnings, dead, outbox } = scripted([again()], { clock });
    delivery.add(message('a'));
    await settled();
    assert.deepEqual(clock.slept, [5_000, 60_000, 600_000, 3_600_000]);
    assert.equal(attempts.length, 5);
    assert.deepEqual(warnings, ['gave up run.failed after 5 attempts: 127.0.0.1 answered 500']);
    assert.deepEqual(dead, ['127.0.0.1 answered 500']);
    assert.equal(outbox.size(), 0);
  });

  it('delivers in order, each once, and holds the next back while one is tried again', async () => {
    const { delivery, attempts, warnings, reached } = scripted([again(), again(), 'ok']);
    for (const id of ['a', 'b', 'c']) delivery.add(message(id));
    await settled();
    delivery.add(message('d'));
    await settled();
    assert.deepEqual(attempts, ['a', 'a', 'a', 'b', 'c', 'd']);
    assert.deepEqual(warnings, []);
    assert.equal(reached(), 4);
  });

  it('goes on with the next message after it gave one up', async () => {
    const refused = new Undelivered('refused', 'x answered 413');
    const { delivery, attempts, warnings, outbox } = scripted([refused, 'ok']);
    delivery.add(message('a'));
    delivery.add(message('b'));
    await settled();
    assert.deepEqual(attempts, ['a', 'b']);
    assert.deepEqual(warnings, ['gave up run.failed after one attempt: x answered 413']);
    assert.equal(outbox.size(), 0);
  });

  it('waits as long as the receiver asks for, but no longer than an hour', async () => {
    for (const [asked, waited] of [
      [30_000, 30_000],
      [1_000, 5_000],
      [86_400_000, 3_600_000],
    ] as const) {
      const clock = leaping();
      const { delivery, attempts } = scripted([again(asked), 'ok'], { clock });
      delivery.add(message('a'));
      await settled();
      assert.deepEqual(clock.slept, [waited]);
      assert.equal(attempts.length, 2);
    }
  });

  it('switches the channel off when the receiver wants no more, and says so once', async () => {
    const { delivery, attempts, warnings, dead } = scripted([new Undelivered('gone', 'x answered 410')]);
    for (const id of ['a', 'b', 'c']) delivery.add(message(id));
    await settled();
    delivery.add(message('d'));
    await settled();
    await delivery.close(1000);
    assert.deepEqual(attempts, ['a']);
    assert.deepEqual(warnings, ['switched off: x answered 410']);
    assert.deepEqual(dead, ['x answered 410']);
  });

  it('does not repeat what is a fault of ours, and does not repeat its text', async () => {
    const { delivery, attempts, warnings } = scripted([new TypeError('Invalid URL: https://hooks/CANARY'), 'ok']);
    delivery.add(message('a'));
    delivery.add(message('b'));
    await settled();
    assert.deepEqual(attempts, ['a', 'b']);
    assert.deepEqual(warnings, ['gave up run.failed after one attempt: it could not be sent (TypeError)']);
  });

  it('returns at once, however slow the receiver', async () => {
    const { delivery } = scripted(['hangs'], { clock: systemClock });
    const begun = performance.now();
    for (let n = 0; n < 100; n++) delivery.add(message(String(n)));
    assert.ok(performance.now() - begun < 5_000);
    await delivery.close(0);
  });

  it('keeps a bounded number of messages, the one under way and the newest', async () => {
    const { delivery, outbox, warnings } = scripted(['hangs'], { clock: systemClock, capacity: 3 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) delivery.add(message(id));
    assert.equal(outbox.size(), 3);
    assert.equal(outbox.first()?.id, 'a');
    assert.equal(warnings.length, 2);
    assert.match(
      warnings[0] ?? '',
      /too many messages are waiting; run\.failed of 2026-11-21T06:00:00\.000Z was dropped/,
    );
    outbox.remove('a');
    assert.equal(outbox.first()?.id, 'd');
    await delivery.close(0);
  });

  describe('at the end', () => {
    const real = (script: Script, retryMs: readonly number[]) => scripted(script, { clock: systemClock, retryMs });
    const timeOf = async (act: Promise<unknown>) => {
      const begun = performance.now();
      await act;
      return performance.now() - begun;
    };

    it('is over at once when nothing is left', async () => {
      const { delivery, warnings } = real(['ok'], []);
      delivery.add(message('a'));
      await settled();
      assert.ok((await timeOf(delivery.close(60_000))) < 20_000);
      assert.deepEqual(warnings, []);
    });

    it('waits for what is under way', async () => {
      const { delivery, attempts, warnings } = real([again(), 'ok'], [100]);
      delivery.add(message('a'));
      delivery.add(message('b'));
      assert.ok((await timeOf(delivery.close(60_000))) < 20_000);
      assert.deepEqual(attempts, ['a', 'a', 'b']);
      assert.deepEqual(warnings, []);
    });

    it('tries at once what was to wait for an hour', async () => {
      const { delivery, attempts, warnings } = real([again(), 'ok'], [3_600_000]);
      delivery.add(message('a'));
      await settled();
      assert.deepEqual(attempts, ['a']);
      assert.ok((await timeOf(delivery.close(60_000))) < 20_000);
      assert.deepEqual(attempts, ['a', 'a']);
      assert.deepEqual(warnings, []);
    });

    it('does not wait for a next attempt that would come too late', async () => {
      const { delivery, attempts, warnings } = real([again()], [3_600_000, 3_600_000]);
      delivery.add(message('a'));
      await settled();
      assert.ok((await timeOf(delivery.close(60_000))) < 20_000);
      assert.equal(attempts.length, 2);
      assert.deepEqual(warnings, ['1 messages were not delivered before Lifeboat ended; its next start tries again']);
    });

    it('still does not knock earlier than the receiver asked for', async () => {
      const late = real([again(3_600_000), 'ok'], [1]);
      late.delivery.add(message('a'));
      await settled();
      assert.ok((await timeOf(late.delivery.close(30_000))) < 20_000);
      assert.deepEqual(late.attempts, ['a']);
      assert.equal(late.warnings.length, 1);
      const soon = real([again(300), 'ok'], [3_600_000]);
      soon.delivery.add(message('a'));
      await settled();
      const took = await timeOf(soon.delivery.close(60_000));
      assert.ok(took > 200 && took < 20_000, `${took} ms`);
      assert.deepEqual(soon.attempts, ['a', 'a']);
    });

    it('ends in time with a receiver that never answers, and says what was lost', async () => {
      const { delivery, warnings, outbox, attempts, cut } = real(['hangs'], [1]);
      for (const id of ['a', 'b', 'c']) delivery.add(message(id));
      const took = await timeOf(delivery.close(200));
      assert.ok(took >= 190 && took < 10_000, `${took} ms`);
      await settled();
      assert.deepEqual(warnings, ['3 messages were not delivered before Lifeboat ended; its next start tries again']);
      assert.deepEqual(attempts, ['a']);
      assert.equal(cut(), 1, 'what was under way went on');
      assert.equal(outbox.size(), 3, 'an outbox that survives sends them next time');
    });

    it('takes no more messages', async () => {
      const { delivery, attempts } = real(['ok'], []);
      await delivery.close(10);
      delivery.add(message('a'));
      await settled();
      assert.deepEqual(attempts, []);
    });
  });
});
