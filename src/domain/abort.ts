import { asLifeboatError, type LifeboatError } from './errors.ts';

/** The promise, or the signal's reason as soon as it fires: for work that others share, or that heeds no signal. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(asLifeboatError(signal.reason));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Fires after so many milliseconds, with an error that says what took too long. Keeps no process alive. */
export function deadline(ms: number, late: () => LifeboatError): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(late()), ms).unref();
  return controller.signal;
}
