import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Destination } from '../context.ts';

/** What another copy may not have; a full disk or a reader that left it has as well. */
export function isOfTheCopy(error: unknown): boolean {
  return isLifeboatError(error, 'ARTIFACT_CORRUPT', 'OBJECT_NOT_FOUND', 'STORE_UNAVAILABLE');
}

/** The same error, which says where. An artifact that is gone is damage: its manifest is there. */
export function named({ name }: Pick<Destination, 'name'>, error: LifeboatError): LifeboatError {
  const { code, message, hint, context, retryable } = error;
  return new LifeboatError(code === 'OBJECT_NOT_FOUND' ? 'ARTIFACT_CORRUPT' : code, `${name}: ${message}`, {
    hint,
    context,
    retryable,
    cause: error,
  });
}
