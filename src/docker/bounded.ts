import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { busyHint } from './call-failure.ts';

/** Acts for at most so long; whatever goes wrong, too long included, is the error in place of the value. */
export async function bounded<T>(
  ms: number,
  signal: AbortSignal,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<
  { readonly value: T; readonly error?: undefined } | { readonly value?: undefined; readonly error: LifeboatError }
> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new LifeboatError('DOCKER_UNAVAILABLE', `no answer within ${ms / 1000} s`, { hint: busyHint })),
    ms,
  );
  const both = AbortSignal.any([signal, late.signal]);
  // Raced, because some calls take no signal.
  const over = new Promise<never>((_, reject) => {
    both.addEventListener('abort', () => reject(both.reason), { once: true });
  });
  over.catch(() => {});
  try {
    return { value: await Promise.race([act(both), over]) };
  } catch (error) {
    signal.throwIfAborted();
    return { error: asLifeboatError(late.signal.aborted ? late.signal.reason : error) };
  } finally {
    clearTimeout(timer);
  }
}
