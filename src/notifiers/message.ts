import type { Failure, Step } from '../domain/run-event.ts';
import type { Cleaner } from './clean.ts';
import { commandFor } from './follow-up.ts';
import type { Message, MessageError, MessageLastGood, MessageSource, ProblemMessage, RunMessage } from './notifier.ts';
import {
  type ConfigProblems,
  type EndedSource,
  type Facts,
  type FinishedBackup,
  type FinishedRestore,
  type LastGood,
  type Outcome,
  type SourceRef,
  sourceKey,
} from './outcome.ts';
import type { Telling } from './policy.ts';

/** A message is kept in memory until it is delivered, and nobody reads more. */
const mostSources = 50;
const mostProblems = 20;
const mostErrors = 5;
const mostDestinations = 10;

/** What a message is made with. */
export interface Drafting {
  readonly id: string;
  readonly facts: Facts;
  readonly cleaner: Cleaner;
  /** Whether the channel hears of this source. */
  hears(source: SourceRef): boolean;
}

/** Writes down what a channel is told of an outcome. Pure but for asking the facts. */
export function composeMessage(outcome: Outcome, { type, recovered }: Telling, drafting: Drafting): Message {
  const { facts, cleaner, id, hears } = drafting;
  const about = outcome.kind === 'backup' ? outcome.sources.filter(hears) : [];
  const stacks = new Set(outcome.kind === 'restore' ? [outcome.stack] : about.map(({ stack }) => stack));
  const envelope = {
    id,
    at: 'at' in outcome ? outcome.at : outcome.finishedAt,
    stack: cleaner.name([...stacks].join(', ') || facts.stack()),
    host: cleaner.name(facts.host()),
    lifeboat: facts.lifeboat,
    command: commandFor(outcome, type, about, (name) => cleaner.name(name) === name),
  };
  if (type === 'config.problem' || !('run' in outcome)) {
    return { ...envelope, type: 'config.problem', ...problemsOf(outcome, cleaner) };
  }
  const run = { type, run: outcome.run, startedAt: outcome.startedAt, finishedAt: outcome.finishedAt };
  return outcome.kind === 'backup'
    ? { ...envelope, ...run, ...ofBackup(outcome, about, recovered, drafting) }
    : { ...envelope, ...run, ...ofRestore(outcome, drafting) };
}

// --- utils ---

type RunPart = Pick<RunMessage, 'trigger' | 'result' | 'error' | 'sources' | 'counts' | 'leftOut'>;
type ProblemPart = Pick<ProblemMessage, 'problems' | 'leftOut'>;

const worstFirst: readonly MessageSource['result'][] = ['failed', 'partial', 'degraded', 'cancelled', 'skipped', 'ok'];

function ofBackup(
  run: FinishedBackup,
  about: readonly EndedSource[],
  recovered: ReadonlySet<string>,
  drafting: Drafting,
): RunPart {
  const { cleaner } = drafting;
  const hasRecovered = (source: EndedSource) => recovered.has(sourceKey(source));
  const rank = (source: EndedSource) => worstFirst.indexOf(source.result) * 2 - (hasRecovered(source) ? 1 : 0);
  const shown = about.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostSources);
  const isMixed = new Set(about.map(({ stack }) => stack)).size > 1;
  return {
    trigger: cleaner.name(run.trigger),
    result: run.result,
    error: run.error && errorOf(cleaner, run.error),
    sources: shown.map((ended) => ({
      ...addressOf(ended, cleaner, isMixed),
      result: ended.result,
      hasRecovered: hasRecovered(ended),
      errors: errorsOf(ended, cleaner),
      backup: backupOf(ended, cleaner),
      ...timesOf(ended, run.finishedAt, drafting),
    })),
    counts: { total: about.length, ok: about.filter(({ result }) => result === 'ok').length },
    leftOut: about.length - shown.length,
  };
}

function ofRestore(restore: FinishedRestore, drafting: Drafting): RunPart {
  const { result, error, step } = restore;
  const { cleaner } = drafting;
  return {
    trigger: 'restore',
    result,
    sources: [
      {
        ...addressOf(restore, cleaner, false),
        result,
        hasRecovered: false,
        errors: error ? [errorOf(cleaner, error, step)] : [],
        ...timesOf(restore, restore.finishedAt, drafting),
      },
    ],
    counts: { total: 1, ok: result === 'ok' ? 1 : 0 },
    leftOut: 0,
  };
}

function problemsOf(outcome: Outcome, cleaner: Cleaner): ProblemPart {
  const problems = problemsIn(outcome);
  const shown = problems.slice(0, mostProblems).map(({ where, message, hint }) => ({
    where: cleaner.name(where),
    message: cleaner.text(message),
    hint: hint === undefined ? undefined : cleaner.text(hint),
  }));
  return { problems: shown, leftOut: problems.length - shown.length };
}

function problemsIn(outcome: Outcome): ConfigProblems['problems'] {
  if (outcome.kind === 'config') return outcome.problems;
  return outcome.kind === 'channel' ? [{ where: `channel ${outcome.channel}`, message: outcome.message }] : [];
}

function addressOf({ stack, source: name }: SourceRef, cleaner: Cleaner, isMixed: boolean) {
  const slash = name.indexOf('/');
  return {
    name: cleaner.name(isMixed ? `${name} (${stack})` : name),
    stack: cleaner.name(stack),
    service: cleaner.name(name.slice(0, slash)),
    source: cleaner.name(name.slice(slash + 1)),
  };
}

function timesOf(ref: SourceRef, now: string, { facts }: Drafting) {
  return { lastGood: lastGoodOf(facts.lastGood?.(ref), now), nextRunAt: facts.nextRunAt?.(ref) };
}

function lastGoodOf(good: LastGood | 'none' | undefined, now: string): MessageLastGood | 'none' | undefined {
  if (good === undefined || good === 'none') return good;
  return { ...good, ageMs: Math.max(0, Date.parse(now) - Date.parse(good.at)) };
}

function errorsOf({ error, step, destinations = [] }: EndedSource, cleaner: Cleaner): readonly MessageError[] {
  const own = error ? [{ error, step, name: undefined }] : [];
  // A required destination is what the source failed of: once is enough.
  const isSaid = (why: Failure) => error?.message.endsWith(why.message) === true;
  const lost = destinations.flatMap(({ name, error: why }) =>
    why && !isSaid(why) ? [{ error: why, step: undefined, name }] : [],
  );
  const shown = [...own, ...lost].slice(0, mostErrors);
  return shown.map(({ error: failure, step: at, name }) => errorOf(cleaner, failure, at, name));
}

function errorOf(cleaner: Cleaner, { code, message, hint }: Failure, step?: Step, destination?: string): MessageError {
  return {
    code: cleaner.name(code),
    message: cleaner.text(message),
    hint: hint === undefined ? undefined : cleaner.text(hint),
    step,
    destination: destination === undefined ? undefined : cleaner.name(destination),
  };
}

function backupOf({ backup, plainBytes, storedBytes, destinations = [] }: EndedSource, cleaner: Cleaner) {
  if (backup === undefined) return undefined;
  const stored = destinations.filter(({ result }) => result === 'ok').slice(0, mostDestinations);
  return { id: backup, plainBytes, storedBytes, destinations: stored.map(({ name }) => cleaner.name(name)) };
}
