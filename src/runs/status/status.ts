import { shortId } from '../../domain/naming.ts';
import type { Failure } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import type { RunContext } from '../context.ts';
import type { RunControl } from '../control/control.ts';
import type { RunningRun } from '../control/running.ts';
import type { HistoryView, PastAttempt, SourcePast } from '../history/history-view.ts';
import type { DiskJournal } from '../journal/journal.ts';
import { failureOfUnfinished, unfinishedRestores } from '../journal/unfinished.ts';
import type { ScheduleView } from '../schedule/scheduler.ts';
import type { Source } from '../source.ts';
import { keyOf, type LastBackup, type Newest, newestOf, readDestinations, remembered } from './newest.ts';
import { settled } from './settled.ts';

/** How things stand, in one look. */
export interface Status {
  readonly stack: string;
  /** Whether a daemon runs the schedule; without one nothing is backed up by itself. */
  readonly isScheduled: boolean;
  readonly sources: readonly SourceStatus[];
  readonly destinations: readonly DestinationStatus[];
  readonly running: readonly RunningRun[];
  /** What is wrong beyond single sources: no Engine, faulty configuration. */
  readonly problems: readonly Failure[];
}

/**
 * `ok`, `degraded` (not in every destination) and `failed` speak of the last attempt; `never`: there is no backup;
 * `damaged`: the newest backup was found damaged somewhere; `gone`: there are backups, but no container any more.
 */
export type SourceState = 'ok' | 'degraded' | 'partial' | 'running' | 'failed' | 'never' | 'damaged' | 'gone';

export interface SourceStatus {
  readonly stack: string;
  readonly source: SourceName;
  readonly state: SourceState;
  /** Whether a person should do something. A source that runs is judged by its attempt before. */
  readonly isHealthy: boolean;
  readonly lastBackup?: LastBackup;
  /** The last attempt that was not skipped. */
  readonly lastRun?: {
    readonly run: string;
    readonly startedAt: string;
    readonly result: string;
    readonly error?: Failure;
  };
  readonly schedule?: string;
  readonly nextRunAt?: string;
}

export interface DestinationStatus {
  readonly name: string;
  readonly location: string;
  /** Why it cannot be used; absent when it can. */
  readonly error?: Failure;
}

/** What the status is made of beside the containers and the destinations. */
export interface StatusFacts {
  readonly history: HistoryView;
  /** Absent where no daemon runs. */
  readonly schedule?: ScheduleView;
  problems(): readonly Failure[];
  /** What was done to containers and data, and not put back yet. */
  readonly journal: Pick<DiskJournal, 'leftOpen'>;
}

/** The Engine and the destinations may be away, and that is when one looks: each gets so long to answer. */
const patienceMs = 10_000;

/** Never rejects for what is away: that is part of the answer. */
export async function readStatus(
  context: RunContext,
  { gate, running }: RunControl,
  facts: StatusFacts,
  stack: () => Promise<string>,
  signal: AbortSignal,
): Promise<Status> {
  const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
  const [found, views, name, left] = await Promise.all([
    settled(context.sources(patience)),
    readDestinations(context, patience),
    settled(stack()),
    settled(facts.journal.leftOpen()),
  ]);
  signal.throwIfAborted();
  const newest = newestOf(views);
  const isUnread = views.some(({ error }) => error);
  const past = new Map(facts.history.past().map((each) => [keyOf(each), each]));
  const here = (found.value?.sources ?? []).map((source) => {
    const key = keyOf({ stack: source.stack, source: source.name });
    const known = past.get(key);
    // Where nobody can look, what is remembered must do.
    const backup = newest.get(key) ?? (isUnread ? remembered(known) : undefined);
    const judged = judge(source, backup, known, facts.schedule);
    return gate.claimedBy(source) === undefined ? judged : { ...judged, state: 'running' as const };
  });
  const known = new Set(here.map(keyOf));
  const elsewhere = [...newest.values()]
    .filter((backup) => !known.has(keyOf(backup)))
    .filter(
      ({ stack: its }) => found.value === undefined || its === name.value || here.some((each) => each.stack === its),
    )
    .map((backup) => withoutContainer(backup, past, found.value !== undefined));
  const isUnderWay = (suffix: string) => running.all().some(({ run }) => shortId(run) === suffix);
  const unfinished = unfinishedRestores(left.value ?? []).filter(({ restore }) => !isUnderWay(restore.suffix));
  const problems = [...facts.problems(), ...unfinished.map(failureOfUnfinished), ...(left.error ? [left.error] : [])];
  return {
    stack: name.value ?? here[0]?.stack ?? 'unknown',
    isScheduled: facts.schedule !== undefined,
    sources: [...here, ...elsewhere],
    destinations: views.map(({ destination, error }) => ({
      name: destination.name,
      location: destination.store.location,
      ...(error ? { error } : {}),
    })),
    running: running.all(),
    problems: found.error ? withProblem(problems, found.error) : problems,
  };
}

// --- utils ---

function judge(
  { stack, name, settings }: Source,
  backup: Newest | undefined,
  past: SourcePast | undefined,
  schedule: ScheduleView | undefined,
): SourceStatus {
  const key = { stack, source: name };
  const next = schedule?.next(key);
  const state = stateOf(backup, past);
  // Before its first scheduled time there need not be a backup yet.
  const mayLack = settings.schedule === 'manual' || schedule?.hasComeDue(key) === false;
  return {
    ...key,
    state,
    isHealthy: state === 'ok' || (state === 'never' && mayLack),
    ...(backup ? { lastBackup: toLastBackup(backup) } : {}),
    ...(past ? { lastRun: toLastRun(past.last) } : {}),
    schedule: settings.schedule,
    ...(next ? { nextRunAt: next.toISOString() } : {}),
  };
}

function stateOf(backup: Newest | undefined, past: SourcePast | undefined): SourceState {
  const result = past?.decisive?.result;
  if (result === 'failed' || result === 'interrupted') return 'failed';
  // The history may say ok and the destination be empty: somebody removed the backup.
  if (!backup) return 'never';
  if (backup.verified.some((copy) => copy.result === 'damaged')) return 'damaged';
  return result === 'degraded' || result === 'partial' ? result : 'ok';
}

function withoutContainer(backup: Newest, past: ReadonlyMap<string, SourcePast>, isEngineThere: boolean): SourceStatus {
  const key = { stack: backup.stack, source: backup.source };
  const known = past.get(keyOf(key));
  const state = isEngineThere ? 'gone' : stateOf(backup, known);
  return {
    ...key,
    state,
    isHealthy: state === 'gone' || state === 'ok',
    lastBackup: toLastBackup(backup),
    ...(known ? { lastRun: toLastRun(known.last) } : {}),
  };
}

function toLastBackup({ stack: _stack, source: _source, ...backup }: Newest): LastBackup {
  return backup;
}

function toLastRun({ run, startedAt, result, error }: PastAttempt): NonNullable<SourceStatus['lastRun']> {
  return { run, startedAt, result, ...(error ? { error } : {}) };
}

function withProblem(problems: readonly Failure[], error: Failure): readonly Failure[] {
  return problems.some(({ code }) => code === error.code) ? problems : [...problems, error];
}
