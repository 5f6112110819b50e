import { exitCodes } from '../domain/errors.ts';
import type { RunOutcome } from '../runs/operations.ts';
import type { Command } from './command.ts';
import { backupSummary, summaryLine } from './summary.ts';

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
  else output.print(summaryLine(output, backupSummary(outcome)));
  return exitCodeOf[outcome.result];
};
