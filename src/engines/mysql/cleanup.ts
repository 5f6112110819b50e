import { LifeboatError } from '../../domain/errors.ts';
import { isHalfDone } from '../half-done.ts';

/** Does the work, then the cleanup, unless what was left is needed to take it back. What fails first is what is thrown; a failed cleanup joins it as a cause. */
export async function withCleanup<T>(work: () => Promise<T>, cleanup: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    if (isHalfDone(error)) throw error;
    await cleanup().catch((left: unknown) => {
      if (!(error instanceof LifeboatError)) throw new AggregateError([error, left], String(error));
      const { code, message, hint, retryable } = error;
      throw new LifeboatError(code, message, { hint, retryable, cause: new AggregateError([error, left]) });
    });
    throw error;
  }
  await cleanup();
  return result;
}
