import type { Failure } from '../../domain/run-event.ts';
import { failureOf } from '../history/run-log.ts';

/** What came of it, or why not: what is away is a part of the status. */
export async function settled<T>(promise: Promise<T>): Promise<{ readonly value?: T; readonly error?: Failure }> {
  return promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error: failureOf(error) }),
  );
}
