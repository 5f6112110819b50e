import { exitCodes } from '../domain/errors.ts';
import type { PlannedSource } from '../runs/plan.ts';
import type { Command } from './command.ts';
import { bytes, type Output, table } from './output.ts';

/** `lifeboat plan`: what would be saved, from where, and what would not and why. */
export const plan: Command = async ({ operations, output, signal }) => {
  const found = await operations.plan(signal);
  const hasProblem = found.sources.some(({ problem }) => problem);
  if (output.json) {
    output.data(found);
    return hasProblem ? exitCodes.partial : exitCodes.ok;
  }
  output.print(`Stack ${output.paint('bold', found.stack)}`);
  if (found.sources.length === 0) output.print('\nNothing to save was found.');
  for (const source of found.sources) for (const line of sourceLines(output, source)) output.print(line);
  if (found.uncovered.length > 0) {
    output.print(`\n${output.paint('yellow', 'Not covered')}`);
    const rows = found.uncovered.map(({ service, what, why }) => [`  ${service}`, what, why]);
    for (const line of table(['  SERVICE', 'WHAT', 'WHY'], rows)) output.print(line);
  }
  return hasProblem ? exitCodes.partial : exitCodes.ok;
};

function sourceLines(output: Output, source: PlannedSource): string[] {
  const { survey, problem } = source;
  const head = `\n${output.paint('bold', source.name)}  ${survey ? `${survey.product} ${survey.version}` : source.image} in ${source.container}`;
  if (!survey)
    return [
      head,
      `  ${output.paint('red', '✖')} ${problem?.message}`,
      ...(problem?.hint ? [`    ${problem.hint}`] : []),
    ];
  return [
    head,
    `  when ${source.schedule} · to ${source.destinations.join(', ') || 'nowhere'} · with ${survey.tool.name} ${survey.tool.version} · ${survey.consistency}`,
    ...survey.items.map(
      (item) =>
        `  ${output.paint('green', '✔')} ${item.name}${item.bytes === undefined ? '' : `  ${bytes(item.bytes)}`}`,
    ),
    ...survey.left.map(({ name, why }) => `  – ${name}  ${why}`),
    ...survey.warnings.map((warning) => `  ${output.paint('yellow', '!')} ${warning}`),
  ];
}
