import { setTimeout as wait } from 'node:timers/promises';
import { asLifeboatError, isLifeboatError, type LifeboatError } from '../domain/errors.ts';

export interface Backoff {
  /** How often an action is tried in all. */
  readonly attempts: number;
  /** The first pause lies between half of this and all of it; each further one is twice as long. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** 0 to 1; spreads the pauses of many clients. */
  random(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Hears of each failure that is tried again, and after how long. */
  retrying?(error: LifeboatError, pauseMs: number): void;
}

export const defaultBackoff: Backoff = {
  attempts: 5,
  baseMs: 500,
  maxMs: 20_000,
  random: Math.random,
  sleep: (ms, signal) => wait(ms, undefined, { signal }),
};

/** Repeats an action while it fails with a retryable LifeboatError; rejects with the last failure. */
export async function withRetries<T>(
  action: (attempt: number) => Promise<T>,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action(attempt);
    } catch (error) {
      if (!isLifeboatError(error) || !error.retryable || attempt >= backoff.attempts || signal.aborted) throw error;
      const pauseMs = lengthOf(attempt, backoff);
      backoff.retrying?.(error, pauseMs);
      await pause(pauseMs, backoff, signal);
    }
  }
}

function lengthOf(attempt: number, { baseMs, maxMs, random }: Backoff): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return ceiling * (0.5 + random() / 2);
}

async function pause(ms: number, { sleep }: Backoff, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, signal);
  } catch (error) {
    throw signal.aborted ? asLifeboatError(signal.reason) : error;
  }
}
