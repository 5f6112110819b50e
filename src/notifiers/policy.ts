import type { Occasion } from '../domain/channel.ts';
import type { MessageType } from './notifier.ts';
import { type Change, channelKey, observe, type PolicyState, wholeRun } from './open-problems.ts';
import { type FinishedBackup, type FinishedRestore, type Outcome, type SourceRef, sourceKey } from './outcome.ts';

/** A channel as the policy sees it. */
export interface Listener {
  readonly name: string;
  readonly on: readonly Occasion[];
}

/** One message to one channel. */
export interface Telling {
  readonly channel: string;
  readonly type: MessageType;
  /** Keys of the sources that had a problem and have none now. */
  readonly recovered: ReadonlySet<string>;
}

/** Whether a channel hears of a source. */
export type Hears = (channel: string, source: SourceRef) => boolean;

/**
 * Who is told what, and how often: one message per run and channel; a failure at once and again after a day, not with
 * every run; a recovery once; a success only where asked for. Pure: what it must remember is passed in and out, so that
 * it can live in the run history.
 */
export function judge(
  state: PolicyState,
  outcome: Outcome,
  listeners: readonly Listener[],
  hears: Hears,
): { readonly state: PolicyState; readonly tellings: readonly Telling[] } {
  const change = observe(state, outcome);
  const tellings = listeners.flatMap((listener) => {
    const type = typeFor(listener, outcome, change, hears);
    return type ? [{ channel: listener.name, type, recovered: change.resolved }] : [];
  });
  return { state: change.state, tellings };
}

/** The state after a channel took a message: the next time it cannot be reached is news again. */
export function channelReached(state: PolicyState, channel: string): PolicyState {
  const key = channelKey(channel);
  return key in state ? Object.fromEntries(Object.entries(state).filter(([known]) => known !== key)) : state;
}

// --- utils ---

function typeFor(listener: Listener, outcome: Outcome, change: Change, hears: Hears): MessageType | undefined {
  const { name, on } = listener;
  switch (outcome.kind) {
    case 'backup':
      return backupType(listener, outcome, change, hears);
    case 'restore':
      return hears(name, outcome) ? restoreType(outcome, on) : undefined;
    case 'config':
    case 'channel': {
      // A channel that cannot be reached is no place to tell that it cannot be reached.
      const isItself = outcome.kind === 'channel' && outcome.channel === name;
      return change.news.size > 0 && on.includes('config-problem') && !isItself ? 'config.problem' : undefined;
    }
  }
}

function backupType(
  { name, on }: Listener,
  outcome: FinishedBackup,
  { news, resolved }: Change,
  hears: Hears,
): MessageType | undefined {
  const heard = outcome.sources.filter((source) => hears(name, source));
  const keys = [wholeRun, ...heard.map(sourceKey)];
  if (keys.some((key) => news.has(key)) && on.includes('failure')) {
    const isFailed = news.has(wholeRun) || heard.some(({ result }) => result === 'failed');
    return isFailed ? 'run.failed' : 'run.degraded';
  }
  if (keys.some((key) => resolved.has(key)) && on.includes('recovered')) return 'run.recovered';
  const isGood = heard.length > 0 && heard.every(({ result }) => result === 'ok');
  return isGood && on.includes('success') ? 'run.succeeded' : undefined;
}

function restoreType({ result }: FinishedRestore, on: readonly Occasion[]): MessageType | undefined {
  if (result === 'failed' && on.includes('failure')) return 'restore.failed';
  return result === 'ok' && on.includes('success') ? 'restore.succeeded' : undefined;
}
