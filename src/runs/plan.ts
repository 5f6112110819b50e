import type { Failure } from '../domain/run-event.ts';
import type { SourceName } from '../domain/types.ts';
import type { Survey } from '../engines/engine.ts';
import type { RunContext } from './context.ts';
import { failureOf } from './history/run-log.ts';
import type { Source, Uncovered } from './source.ts';

/** What would be saved, from where, and what would not and why. */
export interface Plan {
  readonly stack: string;
  readonly sources: readonly PlannedSource[];
  readonly uncovered: readonly Uncovered[];
}

export interface PlannedSource {
  readonly stack: string;
  readonly name: SourceName;
  readonly engine: string;
  readonly container: string;
  readonly image: string;
  readonly schedule: string;
  readonly destinations: readonly string[];
  /** Absent when the server could not be asked; then `problem` says why. */
  readonly survey?: Pick<Survey, 'product' | 'version' | 'items' | 'left' | 'warnings' | 'consistency' | 'tool'>;
  readonly problem?: Failure;
}

/** Asks every source what it holds; a source that cannot be asked is listed with the reason. */
export async function makePlan(context: RunContext, stack: string, run: string, signal: AbortSignal): Promise<Plan> {
  const { sources, uncovered } = await context.sources(signal, 'anew');
  const planned = await Promise.all(sources.map((source) => planSource(context, source, run, signal)));
  // An engine may only find out by looking that there is nothing of its kind.
  const isEmpty = (entry: PlannedSource) => entry.survey !== undefined && entry.survey.items.length === 0;
  const empty = planned.filter(isEmpty).map((entry) => ({
    stack: entry.stack,
    service: entry.name.split('/')[0] ?? entry.name,
    what: entry.engine,
    why: entry.survey?.left.map(({ name, why }) => `${name}: ${why}`).join('; ') || 'nothing of this kind was found',
  }));
  const sourcesFound = planned.filter((entry) => !isEmpty(entry));
  return {
    stack,
    sources: sourcesFound,
    // The Engine names mounts in any order.
    uncovered: [...uncovered.map((entry) => partly(entry, sourcesFound)), ...empty].sort(
      (a, b) => a.service.localeCompare(b.service) || a.what.localeCompare(b.what),
    ),
  };
}

/** A mount with databases in it is not wholly uncovered: what is saved of it is named. */
function partly(entry: Uncovered, sources: readonly PlannedSource[]): Uncovered {
  const { path, stack, service } = entry;
  if (path === undefined) return entry;
  const saved = sources
    .filter((source) => source.stack === stack && source.name.startsWith(`${service}/`))
    .flatMap(({ survey }) => survey?.items ?? [])
    .flatMap(({ name }) => (name.startsWith(`${path}/`) ? [name.slice(path.length + 1)] : []));
  if (saved.length === 0) return entry;
  const named = [...saved.slice(0, 3), ...(saved.length > 3 ? [`${saved.length - 3} more`] : [])].join(', ');
  return { ...entry, why: `of it, ${named} is saved as a database; ${entry.why}` };
}

async function planSource(
  context: RunContext,
  source: Source,
  run: string,
  signal: AbortSignal,
): Promise<PlannedSource> {
  const { to } = source.settings;
  const base = {
    stack: source.stack,
    name: source.name,
    engine: source.engine.name,
    container: source.container.name,
    image: source.container.image,
    schedule: source.settings.schedule,
    destinations: to,
  };
  try {
    const shell = context.shell(source.container, run, source.settings.stopGraceMs);
    const { product, version, items, left, warnings, consistency, tool } = await source.engine.survey(
      shell,
      source.settings.options,
      signal,
    );
    return { ...base, survey: { product, version, items, left, warnings, consistency, tool } };
  } catch (error) {
    return { ...base, problem: failureOf(error) };
  }
}
