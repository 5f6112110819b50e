import { LifeboatError } from '../domain/errors.ts';
import { busyHint, callFailed } from './call-failure.ts';

/** No call but `wait`, `stop` and streams may take longer. */
export const callDeadlineMs = 30_000;

/** One call with its deadline; a status in `accepted` gives undefined instead of an error. */
export async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T>;
export async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
  accepted: readonly [],
  deadlineMs: number,
): Promise<T>;
export async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
  accepted: readonly number[],
  deadlineMs?: number,
): Promise<T | undefined>;
export async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
  accepted: readonly number[] = [],
  deadlineMs = callDeadlineMs,
): Promise<T | undefined> {
  signal?.throwIfAborted();
  // Its own controller and timer: a pending AbortSignal.timeout would fire into a connection that was upgraded long ago.
  const controller = new AbortController();
  const timer = Number.isFinite(deadlineMs)
    ? setTimeout(() => controller.abort(deadline(title, deadlineMs)), deadlineMs)
    : undefined;
  const cancel = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  // Raced, because some of the library's calls take no signal.
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  try {
    return await Promise.race([act(controller.signal), aborted]);
  } catch (thrown) {
    if (accepted.includes((thrown as { statusCode?: number }).statusCode ?? 0)) return undefined;
    throw callFailed(title, controller.signal.aborted ? controller.signal.reason : thrown);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

// --- utils ---

function deadline(title: string, deadlineMs: number): LifeboatError {
  return new LifeboatError('DOCKER_UNAVAILABLE', `the Engine did not answer ${title} within ${deadlineMs / 1000} s`, {
    hint: busyHint,
    retryable: true,
  });
}
