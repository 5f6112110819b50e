import { exitCodes } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { shortId } from '../domain/naming.ts';
import { createNarrator } from '../runs/history/event-text.ts';
import type { Command } from './command.ts';

/** `lifeboat logs [run]`: what was said in a run, the newest when none is named. */
export const logs: Command = async ({ operations, output, signal }, [run]) => {
  const record = await operations.logs({ run }, signal);
  if (output.json) {
    output.data(record);
    return exitCodes.ok;
  }
  const narrate = createNarrator();
  for (const event of record.events) {
    const told = narrate(event);
    if (!told || told.level === 'debug') continue;
    const color = told.level === 'error' ? 'red' : told.level === 'warn' ? 'yellow' : 'reset';
    const { source, hint } = told.fields;
    const text = `${source ? `${source}: ` : ''}${told.text}${hint ? ` – ${hint}` : ''}`;
    output.print(`${localTime(event.at)}  ${output.paint(color, text)}`);
  }
  if (record.finishedAt === undefined) output.say(`Run ${shortId(record.run)} is under way.`);
  else if (record.result === 'interrupted') output.say(`Run ${shortId(record.run)} was cut short.`);
  return exitCodes.ok;
};
