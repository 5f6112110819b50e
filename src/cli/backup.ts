import { exitCodes } from '../domain/errors.ts';
import type { RunOutcome } from '../runs/operations.ts';
import type { Command } from './command.ts';

const exitCodeOf: Record<RunOutcome['result'], number> = {
  ok: exitCodes.ok,
  degraded: exitCodes.partial,
  partial: exitCodes.partial,
  failed: exitCodes.failed,
  cancelled: exitCodes.interrupted,
};

/** `lifeboat backup [target…]`: backs up now. Progress is shown by the reader of the run's events. */
export const backup: Command = async ({ operations, output, signal }, targets) => {
  const outcome = await operations.backup({ targets, trigger: 'manual' }, signal);
  if (output.json) output.data({ type: 'result', ...outcome });
  else {
    const good = outcome.sources.filter(({ result }) => result === 'ok' || result === 'degraded').length;
    output.print(`run ${outcome.run.slice(-6)} ${outcome.result}: ${good} of ${outcome.sources.length} sources saved`);
  }
  return exitCodeOf[outcome.result];
};
