import { setTimeout as sleep } from 'node:timers/promises';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Destination } from '../context.ts';
import type { Source } from '../source.ts';

/** A destination that hangs must not hold up what goes to the others; its draft waits for it again, and says why. */
const patienceMs = 10_000;

/**
 * Keeps the destinations of these sources for a whole run, so that no other sidecar comes in between two of them. What
 * cannot be had is left to the story of each source. With `refuses` it rejects LOCKED when nothing could be written.
 */
export async function holdAll(
  destinations: readonly Destination[],
  sources: readonly Source[],
  refuses: boolean,
  signal: AbortSignal,
): Promise<AsyncDisposable> {
  const leave = new AbortController();
  const wanted = destinations.filter(({ name }) => sources.some(({ settings }) => settings.to.includes(name)));
  const holds = wanted.map(({ hold }) => hold(AbortSignal.any([signal, leave.signal])));
  const release = async () => {
    leave.abort();
    const held = await Promise.allSettled(holds);
    await Promise.all(held.map((one) => (one.status === 'fulfilled' ? one.value[Symbol.asyncDispose]() : undefined)));
  };
  const settled = Promise.allSettled(holds);
  const outcomes = await Promise.race([settled, sleep(patienceMs, [], { ref: false })]);
  const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  const [locked] = failures.filter((error) => isLifeboatError(error, 'LOCKED'));
  if (!refuses || !locked || failures.length < wanted.length) return { [Symbol.asyncDispose]: release };
  await release();
  throw locked;
}
