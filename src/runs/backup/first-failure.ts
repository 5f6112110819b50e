import { isLifeboatError } from '../../domain/errors.ts';

/**
 * Runs tasks side by side. A failure aborts the signal they share; when all have settled, the first failure that is not
 * itself a cancellation is thrown, so that the cause is reported and not one of its echoes.
 */
export async function allOrFirstFailure<T extends readonly unknown[]>(
  outer: AbortSignal,
  start: (signal: AbortSignal) => { readonly [K in keyof T]: Promise<T[K]> },
): Promise<T> {
  const controller = new AbortController();
  const signal = AbortSignal.any([outer, controller.signal]);
  const failures: unknown[] = [];
  const tasks = start(signal) as readonly Promise<unknown>[];
  for (const task of tasks) {
    task.catch((cause: unknown) => {
      failures.push(cause);
      controller.abort(cause);
    });
  }
  const settled = await Promise.allSettled(tasks);
  if (failures.length > 0) throw failures.find((cause) => !isLifeboatError(cause, 'CANCELLED')) ?? failures[0];
  return settled.map((result) => (result.status === 'fulfilled' ? result.value : undefined)) as unknown as T;
}
