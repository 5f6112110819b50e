import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { shortId } from '../domain/naming.ts';
import type { Command } from './command.ts';
import { summaryLine } from './summary.ts';

/** `lifeboat cancel RUN`: ends a run that is under way; what it had stopped is started again. */
export const cancel: Command = async ({ operations, output, signal }, [run]) => {
  if (!run) throw new LifeboatError('USAGE', 'cancel needs the id of a run', { hint: 'lifeboat status shows it' });
  const id = await operations.cancel(run, signal);
  if (output.json) output.data({ run: id });
  else {
    const text = `run ${shortId(id)} is being cancelled; it puts back what it had stopped first`;
    output.print(summaryLine(output, { mood: 'good', text }));
  }
  return exitCodes.ok;
};
