import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { cleanTexts } from './clean-texts.ts';
import type { Operations } from './operations.ts';

/**
 * The operations with secrets taken out of everything they say: results and errors. Manifests are given as they are
 * stored; they never hold one.
 */
export function cleanedOperations(operations: Operations, clean: (text: string) => string): Operations {
  const safely = <T>(act: () => Promise<T>): Promise<T> => withCleanErrors(act, clean);
  const safe = async <T>(act: () => Promise<T>): Promise<T> => cleanTexts(await safely(act), clean);
  return {
    plan: (signal) => safe(() => operations.plan(signal)),
    backup: (ask, signal) => safe(() => operations.backup(ask, signal)),
    list: async (ask, signal) => {
      const { backups, problems } = await safely(() => operations.list(ask, signal));
      return { backups, problems: cleanTexts(problems, clean) };
    },
    show: (id, signal) => safely(() => operations.show(id, signal)),
    planRestore: async (ask, signal) => {
      const { backup, ...view } = await safely(() => operations.planRestore(ask, signal));
      return { ...cleanTexts(view, clean), backup };
    },
    restore: (ask, signal) => safe(() => operations.restore(ask, signal)),
    verify: (ask, signal) => safe(() => operations.verify(ask, signal)),
    copy: (ask, signal) => safe(() => operations.copy(ask, signal)),
    doctor: (signal) => safe(() => operations.doctor(signal)),
    status: (signal) => safe(() => operations.status(signal)),
    cancel: (run, signal) => safely(() => operations.cancel(run, signal)),
    logs: (ask, signal) => safe(() => operations.logs(ask, signal)),
  };
}

/** Acts; what goes wrong is told without secrets. */
export async function withCleanErrors<T>(act: () => Promise<T>, clean: (text: string) => string): Promise<T> {
  try {
    return await act();
  } catch (thrown) {
    throw cleanedError(asLifeboatError(thrown), clean);
  }
}

// --- utils ---

function cleanedError(error: LifeboatError, clean: (text: string) => string): LifeboatError {
  const { code, message, hint, retryable, context, cause } = error;
  return new LifeboatError(code, clean(message), {
    hint: hint === undefined ? undefined : clean(hint),
    retryable,
    context,
    cause,
  });
}
