import { exitCodes } from '../domain/errors.ts';
import { createNamer } from '../domain/source-names.ts';
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
  const stacks = new Set([...found.sources, ...found.uncovered].map(({ stack }) => stack));
  const several = stacks.size > 1;
  output.print(
    `${several ? 'Stacks' : 'Stack'} ${output.paint('bold', several ? [...stacks].join(', ') : found.stack)}`,
  );
  if (found.sources.length === 0) output.print('\nNothing to save was found.');
  const nameOf = createNamer(stacks);
  for (const source of found.sources)
    for (const line of sourceLines(output, source, nameOf(source))) output.print(line);
  if (found.uncovered.length > 0) {
    output.print(`\n${output.paint('yellow', 'Not covered')}`);
    const rows = found.uncovered.map(({ stack, service, what, why }) => [
      `  ${several ? `${stack}/` : ''}${service}`,
      what,
      why,
    ]);
    for (const line of table(['  SERVICE', 'WHAT', 'WHY'], rows)) output.print(line);
  }
  return hasProblem ? exitCodes.partial : exitCodes.ok;
};

function sourceLines(output: Output, source: PlannedSource, name: string): string[] {
  const { survey, problem } = source;
  const head = `\n${output.paint('bold', name)}  ${survey ? `${survey.product} ${survey.version}` : source.image} in ${source.container}`;
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
