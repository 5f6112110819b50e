import { type ErrorDetails, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Recovered } from './engine.ts';

/**
 * A switch that failed, and so did taking it back. What was staged must then stay where it is: that tells `recover` to try
 * again.
 */
export function halfDone(message: string, details: Omit<ErrorDetails, 'context'>): LifeboatError {
  return new LifeboatError('RESTORE_FAILED', message, { ...details, context: { isHalfDone: true } });
}

export function isHalfDone(error: unknown): boolean {
  return isLifeboatError(error) && error.context.isHalfDone === true;
}

/** Whether nothing but another restore helps. */
export function needsRestore({ live }: Recovered): boolean {
  return live === 'half' || live === 'unknown';
}
