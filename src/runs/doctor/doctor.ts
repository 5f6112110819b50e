import { type Check, worstOf } from '../../domain/check.ts';
import { asLifeboatError } from '../../domain/errors.ts';
import { newId } from '../../domain/naming.ts';
import type { RunContext } from '../context.ts';
import { makePlan, type PlannedSource } from '../plan.ts';
import { checkDestination, type OpenableDestination } from './destination-check.ts';

export interface DoctorReport {
  readonly result: ReturnType<typeof worstOf>;
  readonly checks: readonly Check[];
}

/** What only the composition root can look at. */
export interface Examinations {
  engine(signal: AbortSignal): Promise<readonly Check[]>;
  /** The data folder, the time zone. */
  host(): Promise<readonly Check[]>;
  configuration(signal: AbortSignal): Promise<readonly Check[]>;
}

/** Looks at everything a backup or a restore needs, and changes nothing. Never rejects for what it finds. */
export async function examine(
  context: RunContext,
  examinations: Examinations,
  destinations: readonly OpenableDestination[],
  signal: AbortSignal,
): Promise<DoctorReport> {
  const engine = await examinations.engine(signal);
  const isReachable = !engine.some(({ name, status }) => name === 'socket' && status === 'fail');
  const [host, configuration, places, sources] = await Promise.all([
    examinations.host(),
    examinations.configuration(signal),
    Promise.all(destinations.map((destination) => checkDestination(destination, context.now, signal))),
    isReachable ? checkSources(context, signal) : [],
  ]);
  const none: Check = {
    category: 'destinations',
    name: 'destinations',
    status: 'fail',
    message: 'no destination is set up: nothing can be backed up',
    hint: 'set LIFEBOAT_DEST_LOCAL_URL=file:///backups',
  };
  const checks = [
    ...engine,
    ...host,
    ...(destinations.length > 0 ? places.flat() : [none]),
    ...sources,
    ...configuration,
  ];
  return { result: worstOf(checks), checks };
}

// --- utils ---

/** Every source is asked what it holds: that takes its login and its tools. */
async function checkSources(context: RunContext, signal: AbortSignal): Promise<readonly Check[]> {
  const category = 'sources';
  try {
    const { sources } = await makePlan(context, '', newId(context.now()), signal);
    if (sources.length > 0) return sources.map((source) => ({ category, name: source.name, ...judge(source) }));
    const hint = 'lifeboat plan lists every container and why it is left out';
    return [{ category, name: 'sources', status: 'warn', message: 'nothing to back up was found', hint }];
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = asLifeboatError(error);
    return [{ category, name: 'sources', status: 'fail', message, hint }];
  }
}

function judge({ survey, problem, container }: PlannedSource): Omit<Check, 'category' | 'name'> {
  if (!survey) return { status: 'fail', message: problem?.message ?? 'it could not be asked', hint: problem?.hint };
  const { product, version, tool, warnings } = survey;
  const by = Number.isNaN(majorOf(tool.version)) ? tool.name : `${tool.name} ${tool.version}`;
  const message = `${product} ${version} in ${container}, with ${by}`;
  if (majorOf(tool.version) < majorOf(version) && tool.name !== 'sh') {
    const hint = `name an image with at least version ${majorOf(version)} as tools-image, or update the image of the service`;
    // pg_dump refuses a newer server; others try.
    return { status: tool.name.startsWith('pg_') ? 'fail' : 'warn', message: `${message}: the tool is older`, hint };
  }
  if (warnings.length > 0) return { status: 'warn', message: `${message}; ${warnings.join('; ')}` };
  return { status: 'pass', message };
}

function majorOf(version: string): number {
  return Number.parseInt(version, 10);
}
