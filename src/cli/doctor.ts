import { exitCodes } from '../domain/errors.ts';
import type { Command } from './command.ts';
import { doctorSummary, summaryLine } from './summary.ts';

const marks = { pass: ['✔', 'green'], note: ['–', 'cyan'], warn: ['!', 'yellow'], fail: ['✖', 'red'] } as const;
const exitCodeOf = { pass: exitCodes.ok, note: exitCodes.ok, warn: exitCodes.partial, fail: exitCodes.failed } as const;

/** `lifeboat doctor`: looks at everything a backup needs and says what to mend. */
export const doctor: Command = async ({ operations, output, signal }) => {
  const { result, checks } = await operations.doctor(signal);
  if (output.json) {
    output.data({ result, checks });
    return exitCodeOf[result];
  }
  for (const [category, own] of Map.groupBy(checks, (check) => check.category)) {
    output.print(output.paint('bold', category));
    const width = Math.max(...own.map(({ name }) => name.length));
    for (const { name, status, message, hint } of own) {
      const [mark, color] = marks[status];
      output.print(`  ${output.paint(color, mark)} ${name.padEnd(width)}  ${message}`);
      if (hint && status !== 'pass') output.print(`    ${' '.repeat(width)}  ${hint}`);
    }
  }
  output.print(`\n${summaryLine(output, doctorSummary(checks))}`);
  return exitCodeOf[result];
};
