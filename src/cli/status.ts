import { exitCodes } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { shortId } from '../domain/naming.ts';
import { createNamer } from '../domain/source-names.ts';
import type { SourceState, SourceStatus, Status } from '../runs/status/status.ts';
import type { Command } from './command.ts';
import { age, bytes, type Output, table } from './output.ts';
import { verifiedWords } from './verified-words.ts';

const marks: Record<SourceState, readonly [string, 'green' | 'yellow' | 'red' | 'cyan' | 'gray']> = {
  ok: ['✔ ok', 'green'],
  degraded: ['! degraded', 'yellow'],
  partial: ['! partial', 'yellow'],
  running: ['… running', 'cyan'],
  failed: ['✖ failed', 'red'],
  never: ['– never', 'yellow'],
  damaged: ['✖ damaged', 'red'],
  gone: ['– gone', 'gray'],
};

/** `lifeboat status`: one line per source, what is wrong below. Its exit code is for monitors. */
export const status: Command = async ({ operations, output, signal, now }) => {
  const found = await operations.status(signal);
  if (output.json) output.data({ ...found, isHealthy: exitCodeOf(found) === exitCodes.ok });
  else for (const line of statusLines(output, found, now())) output.print(line);
  return exitCodeOf(found);
};

/** `lifeboat` alone: how things stand, and where to go from there. */
export const overview: Command = async (context, args, options) => {
  const { output } = context;
  output.say('lifeboat backup | list | restore | plan | show ID, and more: lifeboat --help');
  output.say('This is how things stand (lifeboat status):');
  output.say('');
  return status(context, args, options);
};

/** 1: backups fail or are missing; 3: they are made, but not everywhere or not of everything. */
function exitCodeOf({ sources, destinations, problems }: Status): number {
  const isBad = ({ state, isHealthy }: SourceStatus) => !isHealthy && state !== 'degraded' && state !== 'partial';
  if (sources.some(isBad) || problems.some(({ code }) => code !== 'CONFIG_INVALID')) return exitCodes.failed;
  const isPartial = sources.some(({ isHealthy }) => !isHealthy) || destinations.some(({ error }) => error);
  return isPartial || problems.length > 0 ? exitCodes.partial : exitCodes.ok;
}

function statusLines(output: Output, found: Status, now: Date): readonly string[] {
  const named = createNamer(found.sources.map(({ stack }) => stack));
  const nameOf = ({ stack, source: name }: SourceStatus) => named({ stack, name });
  const rows = found.sources.map((source) => sourceRow(output, source, nameOf(source), now));
  const problems = [
    ...found.sources.flatMap((source) => sourceProblem(source, nameOf(source))),
    ...found.destinations.flatMap(({ name, error }) =>
      error ? [`destination ${name} cannot be used: ${error.message}${error.hint ? ` – ${error.hint}` : ''}`] : [],
    ),
    ...found.problems.map(({ message, hint }) => `${message}${hint ? ` – ${hint}` : ''}`),
    ...(found.isScheduled
      ? []
      : [
          'no daemon runs here: nothing is backed up by itself, unless by one in another container (docker exec sidecar status)',
        ]),
  ];
  const running = found.running.map(
    ({ run, trigger, sources, startedAt }) =>
      `${output.paint('cyan', '…')} run ${shortId(run)} (${trigger}) since ${localTime(startedAt)}: ${sources.join(', ')}`,
  );
  return [
    ...(rows.length > 0
      ? table(['STATE', 'SOURCE', 'LAST GOOD', 'AGE', 'SIZE', 'WHERE', 'VERIFIED', 'NEXT'], rows)
      : []),
    ...(rows.length > 0 ? [] : ['Nothing to back up was found: lifeboat plan says why.']),
    ...(running.length > 0 ? ['', ...running] : []),
    ...(problems.length > 0 ? ['', ...problems.map((line) => `${output.paint('yellow', '!')} ${line}`)] : []),
  ];
}

function sourceRow(output: Output, source: SourceStatus, name: string, now: Date): readonly string[] {
  const { lastBackup: last, nextRunAt, schedule } = source;
  const [mark, color] = marks[source.state];
  return [
    output.paint(color, mark),
    name,
    last ? localTime(last.startedAt) : '–',
    last ? age(last.startedAt, now) : '–',
    last ? bytes(last.storedBytes) : '–',
    last?.destinations.join(', ') || '–',
    last ? verifiedWords(last.destinations, last.verified, (at) => age(at, now)) : '–',
    nextRunAt ? localTime(nextRunAt) : schedule === 'manual' ? 'manual' : '–',
  ];
}

/** What went wrong last, in one sentence. */
function sourceProblem({ state, lastRun, isHealthy, lastBackup }: SourceStatus, name: string): readonly string[] {
  const run = lastRun ? ` (run ${shortId(lastRun.run)}, ${localTime(lastRun.startedAt)})` : '';
  const isBad = state === 'failed' || state === 'partial' || (state === 'running' && !isHealthy);
  const error = lastRun?.error;
  if (isBad && error) return [`${name}: ${error.message}${error.hint ? ` – ${error.hint}` : ''}${run}`];
  if (state === 'degraded') return [`${name}: the last backup is not in every destination${run}`];
  if (state === 'never' && !isHealthy) return [`${name} has no backup yet – lifeboat backup ${name}`];
  if (state === 'damaged' && lastBackup) {
    const damaged = lastBackup.verified.filter((copy) => copy.result === 'damaged');
    const where = damaged.map(({ destination, findings }) => `${destination}: ${findings[0]?.message ?? 'damaged'}`);
    return [`${name}: backup ${shortId(lastBackup.id)} is damaged in ${where.join('; ')} – lifeboat backup ${name}`];
  }
  if (state === 'gone') return [`${name} has backups but no container any more`];
  return lastBackup || isHealthy ? [] : [`${name} has no backup`];
}
