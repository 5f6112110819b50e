import { createHash } from 'node:crypto';
import { type EndedSource, type FinishedBackup, type Outcome, sourceKey } from './outcome.ts';

/** A problem that was not resolved yet. Holds no text from outside, only codes and names. */
export interface OpenProblem {
  readonly since: string;
  /** When each form of it (kind of failure, destinations) was last told. */
  readonly told: Readonly<Record<string, string>>;
}

/** Open problems by source (stack and name), `run`, `config:…` and `channel:…`. Plain JSON. */
export type PolicyState = Readonly<Record<string, OpenProblem>>;

/** What was told before, from one outcome to the next, and from one process to the next where it is kept. */
export interface Memory {
  load(): PolicyState;
  save(state: PolicyState): void;
}

/** Begins with what was kept, and hands over what is to be kept. */
export function createMemory(state: PolicyState = {}, keep: (state: PolicyState) => void = () => {}): Memory {
  let known = state;
  return {
    load: () => known,
    save: (next) => {
      known = next;
      keep(next);
    },
  };
}

/** Key of a run that failed before it came to its sources. */
export const wholeRun = 'run';

/**
 * The same problem is told again after a day. Jitter and a dump that fails a little sooner than yesterday's must not make
 * every other morning silent, so the day is a little short.
 */
export const repeatMs = 22 * 3_600_000;

/** A source that was not seen for so long is gone for good. */
const forgetMs = 400 * 86_400_000;

export interface Change {
  readonly state: PolicyState;
  /** What is to be told now: new problems, and old ones of backups that were not told for a day. */
  readonly news: ReadonlySet<string>;
  readonly resolved: ReadonlySet<string>;
}

/** What an outcome changes about the open problems. */
export function observe(state: PolicyState, outcome: Outcome): Change {
  const at = 'at' in outcome ? outcome.at : outcome.finishedAt;
  const open = new Map(Object.entries(state).filter(([, problem]) => !isForgotten(problem, at)));
  const news = new Set<string>();
  const resolved = new Set<string>();
  for (const [key, form] of observations(outcome, open.keys().toArray())) {
    const before = open.get(key);
    if (form === undefined) {
      if (open.delete(key)) resolved.add(key);
      continue;
    }
    // A configuration changes when somebody changes it, who need not be told of it every day.
    const isLasting = outcome.kind === 'config';
    const recent = Object.entries(before?.told ?? {}).filter(([, told]) => isLasting || isRecent(told, at));
    const isNews = !recent.some(([known]) => known === form);
    if (isNews) news.add(key);
    const told = Object.fromEntries(isNews ? [...recent, [form, at]] : recent);
    open.set(key, { since: before?.since ?? at, told });
  }
  return { state: Object.fromEntries(open), news, resolved };
}

export function channelKey(channel: string): string {
  return `channel:${channel}`;
}

// --- utils ---

/** What was seen: a key, and the form of its problem or undefined when all is well. */
type Observation = readonly [key: string, form: string | undefined];

function observations(outcome: Outcome, known: readonly string[]): readonly Observation[] {
  switch (outcome.kind) {
    case 'backup':
      return [...outcome.sources.flatMap(ofSource), ...ofRun(outcome)];
    case 'restore':
      // A restore says nothing about whether the next backup will work.
      return [];
    case 'config': {
      const keys = outcome.problems.map(configKey);
      const gone = known.filter((key) => key.startsWith('config:') && !keys.includes(key));
      return [...gone.map((key) => [key, undefined] as const), ...keys.map((key) => [key, 'open'] as const)];
    }
    case 'channel':
      return [[channelKey(outcome.channel), 'dead']];
  }
}

function ofSource(ended: EndedSource): readonly Observation[] {
  const { result, error, destinations = [] } = ended;
  // Neither says whether a backup is possible.
  if (result === 'cancelled' || result === 'skipped') return [];
  const lost = destinations.flatMap(({ name, error: why }) => (why ? [`${name}=${why.code}`] : [])).sort();
  return [[sourceKey(ended), result === 'ok' ? undefined : [result, error?.code ?? '', ...lost].join(' ')]];
}

function ofRun({ result, error, sources }: FinishedBackup): readonly Observation[] {
  if (result === 'cancelled') return [];
  if (sources.some((source) => source.result !== 'failed')) return [[wholeRun, undefined]];
  // Where every source failed, each has its own reason or the common one.
  if (sources.length > 0) return [];
  // A failure that nothing explains is a failure all the same.
  return [[wholeRun, result === 'failed' ? (error?.code ?? 'unknown') : undefined]];
}

/** The text may repeat anything, and the state may be stored: a digest tells problems apart as well. */
function configKey({ where, message }: { where: string; message: string }): string {
  return `config:${createHash('sha256').update(`${where}\n${message}`).digest('hex').slice(0, 16)}`;
}

/** A clock that went backwards must not silence anything. */
function isRecent(told: string, at: string): boolean {
  const elapsed = Date.parse(at) - Date.parse(told);
  return elapsed >= 0 && elapsed < repeatMs;
}

function isForgotten({ since, told }: OpenProblem, at: string): boolean {
  const last = Math.max(Date.parse(since), ...Object.values(told).map(Date.parse));
  return Date.parse(at) - last > forgetMs;
}
