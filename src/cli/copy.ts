import { exitCodes, LifeboatError } from '../domain/errors.ts';
import type { CopyReport } from '../runs/operations.ts';
import type { Command } from './command.ts';
import { copySummary, summaryLine } from './summary.ts';

export interface CopyOptions {
  readonly to?: string;
  readonly all?: boolean;
  readonly since?: string;
}

const exitCodeOf: Record<CopyReport['result'], number> = {
  ok: exitCodes.ok,
  partial: exitCodes.partial,
  failed: exitCodes.failed,
};

/** `lifeboat copy id|target --to destination`: brings backups to another destination, where they are as good as here. */
export const copy: Command<CopyOptions> = async ({ operations, output, signal }, [target], { to, all, since }) => {
  if (to === undefined)
    throw new LifeboatError('USAGE', 'copy needs the name of a destination: --to NAME', {
      hint: 'lifeboat config show lists the destinations',
    });
  const report = await operations.copy({ target, to, all, since }, signal);
  if (output.json) output.data({ type: 'result', ...report });
  else output.print(summaryLine(output, copySummary(report)));
  return exitCodeOf[report.result];
};
