import { LifeboatError } from '../../domain/errors.ts';
import type { RunLog } from '../history/run-log.ts';
import type { OpenIntent } from '../journal/journal.ts';
import { leftOf, unfinishedRestores } from '../journal/unfinished.ts';
import type { OperationParts } from '../operations.ts';
import type { RestoreRequest } from './request.ts';

/** What an earlier restore into the same source left, and could not be put right now either. */
export interface LeftBefore {
  /** Strikes it from the journal: it must not be taken back over what is restored now. */
  overwrites(): Promise<void>;
  /** Starts what was kept stopped for it. */
  startAgain(): Promise<void>;
}

/**
 * Puts right what an earlier restore left before another one begins. Rejects RESTORE_REFUSED when that cannot be done, and
 * the new one would replace only a part of the data.
 */
export async function leftBefore(
  { status: { journal }, repair }: Pick<OperationParts, 'status' | 'repair'>,
  { source, name, as, only }: RestoreRequest,
  log: RunLog,
): Promise<LeftBefore> {
  const mine = async () => (as === undefined ? leftOf(await journal.leftOpen(), source) : []);
  const tryOnce = async (left: readonly OpenIntent[]) => {
    if (left.length === 0) return;
    const { done, open } = await repair({ leftOpen: async () => left });
    for (const line of done) log.note(`put back after an interruption: ${line}`);
    for (const { failure } of open) log.warn(source.name, failure.message, failure.hint);
  };
  await tryOnce(await mine());
  const left = await mine();
  if (only && unfinishedRestores(left).length > 0) {
    throw new LifeboatError(
      'RESTORE_REFUSED',
      `an earlier restore into ${source.name} is neither completed nor taken back, and might be over a part of the data`,
      { hint: `restore all of it: docker exec sidecar restore ${name}` },
    );
  }
  return {
    overwrites: async () => {
      for (const { intent, done } of left) if (intent.kind === 'restore') await done();
    },
    startAgain: () => tryOnce(left.filter(({ intent }) => intent.kind !== 'restore')),
  };
}
