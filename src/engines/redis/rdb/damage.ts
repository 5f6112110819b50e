import { notWholeHint } from '../../../domain/advice.ts';
import { LifeboatError } from '../../../domain/errors.ts';

/** The error for bytes that are no whole RDB. */
export function damaged(why: string): LifeboatError {
  return new LifeboatError('PROOF_FAILED', `the RDB is damaged: ${why}`, { hint: notWholeHint });
}
