import { LifeboatError } from '../../domain/errors.ts';

/** Does the work, then always the cleanup. What fails first is what is thrown; a failed cleanup joins it as a cause. */
export async function withCleanup<T>(work: () => Promise<T>, cleanup: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
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
