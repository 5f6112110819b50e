import { setTimeout as sleep } from 'node:timers/promises';

export interface Backoff {
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Tries until it succeeds, with growing pauses; undefined when the signal fired first. `failed` hears of each failure. */
export async function untilDone<T>(
  act: () => Promise<T>,
  failed: (error: unknown, pauseMs: number) => void,
  signal: AbortSignal,
  { firstMs, longestMs }: Backoff,
): Promise<T | undefined> {
  for (let pauseMs = firstMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, longestMs)) {
    try {
      return await act();
    } catch (error) {
      failed(error, pauseMs);
    }
    await pause(pauseMs, signal);
  }
  return undefined;
}

/** Waits, or returns early when the signal fires. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {}); // Only an abort rejects, and the caller looks at the signal.
}
