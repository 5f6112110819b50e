import type { RunEvent } from '../domain/run-event.ts';
import { bytes, duration } from './output.ts';

type Progress = Pick<
  Extract<RunEvent, { type: 'progress' }>,
  'source' | 'step' | 'plainBytes' | 'expectedBytes' | 'stack'
>;

/** From here on the rate says something of what is to come. */
const trustedMs = 5_000;
const trustedBytes = 8_000_000;
/** A rate over less than this is noise. */
const shortestMs = 1_000;

/** Size, rate and, once that can be trusted, the time left: for each step of each source by itself. */
export function createPace(now: () => number = () => performance.now()): (progress: Progress) => string {
  const begun = new Map<string, { readonly at: number; readonly bytes: number; last: number }>();
  return ({ source, step, plainBytes, expectedBytes, stack }) => {
    const key = JSON.stringify([stack, source, step]);
    let known = begun.get(key);
    // Fewer bytes than before: the next artifact, or another try.
    if (!known || plainBytes < known.last) known = { at: now(), bytes: plainBytes, last: plainBytes };
    known.last = plainBytes;
    begun.set(key, known);
    return paceText({ ms: now() - known.at, seen: plainBytes - known.bytes, plainBytes, expectedBytes });
  };
}

export interface Pace {
  /** How long it has been watched, and the bytes that came meanwhile. */
  readonly ms: number;
  readonly seen: number;
  readonly plainBytes: number;
  readonly expectedBytes?: number | undefined;
}

export function paceText({ ms, seen, plainBytes, expectedBytes }: Pace): string {
  const perMs = ms >= shortestMs ? seen / ms : 0;
  const left = expectedBytes === undefined ? 0 : expectedBytes - plainBytes;
  const isTrusted = ms >= trustedMs && seen >= trustedBytes && left > 0;
  return [
    bytes(plainBytes),
    ...(perMs > 0 ? [`${bytes(perMs * 1000)}/s`] : []),
    ...(isTrusted ? [`about ${duration(left / perMs)} left`] : []),
  ].join(', ');
}
