import { setTimeout as wait } from 'node:timers/promises';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Message, Notifier } from './notifier.ts';
import type { Outbox } from './outbox.ts';
import { Undelivered } from './undelivered.ts';

/** Time, as deliveries see it. */
export interface Clock {
  now(): Date;
  /** Rejects when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) => wait(ms, undefined, { signal }),
};

/** 5 s, 1 min, 10 min, 1 h: long enough for a receiver that is being updated, short enough to still be news. */
export const standardRetryMs: readonly number[] = [5_000, 60_000, 600_000, 3_600_000];

/** However long a receiver asks to be left alone. */
const longestWaitMs = 3_600_000;

export interface DeliveryOptions {
  readonly clock: Clock;
  readonly retryMs: readonly number[];
  warn(message: string, hint?: string): void;
  /** A message was taken. */
  onReached(): void;
  /** A message was given up, or the receiver wants none any more. */
  onDead(why: string): void;
}

/** Brings the messages of one channel to its receiver, in order, one at a time, while everything else goes on. */
export interface Delivery {
  /** Never waits and never throws for the receiver's sake. */
  add(message: Message): void;
  /**
   * Takes no more messages and gives those that are left one last chance within this time. Resolves when none is left or
   * the time is over; never rejects.
   */
  close(graceMs: number): Promise<void>;
}

export function createDelivery(notifier: Notifier, outbox: Outbox, options: DeliveryOptions): Delivery {
  const { clock, retryMs, warn, onReached, onDead } = options;
  /** Ends everything, also a request under way. */
  const stop = new AbortController();
  /** Ends pauses: the last chance has come. */
  const hurry = new AbortController();
  let state: 'open' | 'closing' | 'off' = 'open';
  let deadline = Number.POSITIVE_INFINITY;
  let isWorking = false;
  let work = Promise.resolve();

  const nowMs = () => clock.now().getTime();

  /** Resolves with whether to try again. */
  async function pause(waitMs: number, retryAfterMs: number): Promise<boolean> {
    const begun = nowMs();
    if (begun + Math.max(waitMs, retryAfterMs) > deadline) return false;
    const signal = state === 'closing' ? stop.signal : AbortSignal.any([stop.signal, hurry.signal]);
    if (await slept(clock, Math.max(waitMs, retryAfterMs), signal)) return true;
    const rest = begun + retryAfterMs - nowMs();
    if (stop.signal.aborted || nowMs() + rest > deadline) return false;
    // Closing cuts our own patience short, not the receiver's wish.
    return rest <= 0 || slept(clock, rest, stop.signal);
  }

  /** What went wrong; undefined when the message was taken. */
  async function send(message: Message): Promise<Undelivered | undefined> {
    try {
      await notifier.notify(message, stop.signal);
      return undefined;
    } catch (thrown) {
      return asUndelivered(thrown);
    }
  }

  /** Resolves with whether the message is settled, one way or the other; false when it was cut off. */
  async function deliver(message: Message): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      const failure = await send(message);
      if (!failure) {
        onReached();
        return true;
      }
      const waitMs = retryMs[attempt - 1];
      const retryAfterMs = Math.min(failure.retryAfterMs ?? 0, longestWaitMs);
      if (failure.fate === 'again' && waitMs !== undefined) {
        if (await pause(waitMs, retryAfterMs)) continue;
        return false;
      }
      if (stop.signal.aborted) return false;
      if (failure.fate === 'gone') {
        state = 'off';
        warn(`switched off: ${failure.message}`, 'give it another URL, then restart Lifeboat');
      } else {
        const tries = attempt === 1 ? 'one attempt' : `${attempt} attempts`;
        warn(`gave up ${message.type} after ${tries}: ${failure.message}`);
      }
      onDead(failure.message);
      return true;
    }
  }

  async function workOff(): Promise<void> {
    try {
      for (let next = outbox.first(); next && state !== 'off'; next = outbox.first()) {
        // What was cut off stays for the next process.
        if (!(await deliver(next))) return;
        outbox.remove(next.id);
      }
    } finally {
      isWorking = false;
    }
  }

  function begin(): void {
    if (isWorking) return;
    isWorking = true;
    work = workOff().catch((thrown: unknown) =>
      warn(`it stopped working: ${thrown instanceof Error ? thrown.message : ''}`),
    );
  }

  // What an earlier process could not deliver.
  if (outbox.size() > 0) begin();
  return {
    add: (message) => {
      if (state !== 'open') return;
      const dropped = outbox.add(message);
      if (dropped) warn(`too many messages are waiting; ${dropped.type} of ${dropped.at} was dropped`);
      begin();
    },
    close: async (graceMs) => {
      if (state === 'open') state = 'closing';
      deadline = nowMs() + graceMs;
      hurry.abort();
      const isDone = new AbortController();
      const grace = slept(clock, graceMs, isDone.signal);
      await Promise.race([work, grace]);
      isDone.abort();
      stop.abort(new LifeboatError('CANCELLED', 'Lifeboat is ending'));
      await grace;
      if (state !== 'off' && outbox.size() > 0) {
        warn(`${outbox.size()} messages were not delivered before Lifeboat ended; its next start tries again`);
      }
    },
  };
}

// --- utils ---

/** Whether the whole time passed. */
async function slept(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal);
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  }
}

/** What a notifier throws beside its contract is a fault of ours, which repeating does not mend. */
function asUndelivered(thrown: unknown): Undelivered {
  if (thrown instanceof Undelivered) return thrown;
  // A foreign message may repeat the address.
  const reason = isLifeboatError(thrown) ? thrown.message : thrown instanceof Error ? thrown.name : typeof thrown;
  return new Undelivered('refused', `it could not be sent (${reason})`);
}
