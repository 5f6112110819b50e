import { LifeboatError } from '../domain/errors.ts';

/** Does the work, then always the cleanup. What fails first is what is thrown. */
export async function withCleanup<T>(work: () => Promise<T>, cleanup: () => Promise<void>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    throw await afterCleanup(error, cleanup);
  }
  await cleanup();
  return result;
}

/** What is thrown of a failure after this cleanup: one that fails as well joins it as a cause, and never takes its place. */
export async function afterCleanup(error: unknown, cleanup: () => Promise<void>): Promise<unknown> {
  try {
    await cleanup();
    return error;
  } catch (left) {
    const cause = new AggregateError([error, left], String(error));
    if (!(error instanceof LifeboatError)) return cause;
    const { code, message, hint, retryable, context } = error;
    return new LifeboatError(code, message, { hint, retryable, context, cause });
  }
}
