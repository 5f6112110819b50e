import { hostname } from 'node:os';
import type { Settings } from '../config/settings.ts';
import type { Log } from '../domain/log.ts';
import type { Redactor } from '../domain/redact.ts';
import type { RunEvent, SourceResult, Step } from '../domain/run-event.ts';
import type { SourceName } from '../domain/types.ts';
import { createNotifiers } from '../notifiers/index.ts';
import type { Outcome, SourceRef } from '../notifiers/outcome.ts';
import type { EventReader } from '../runs/event-bus.ts';
import type { HistoryView } from '../runs/history-view.ts';
import { version } from '../version.ts';

export interface NotificationOptions {
  readonly settings: Settings;
  readonly redactor: Redactor;
  readonly log: Log;
  readonly history: HistoryView;
  nextRunAt(source: SourceRef): string | undefined;
  /** The channels that configuration names for a source. */
  channelsOf(source: SourceRef): readonly string[] | undefined;
  stack(): string;
}

/** Tells the configured channels of runs that are over: one more reader of the events, which never holds up a run. */
export function createNotificationReader(options: NotificationOptions): EventReader & AsyncDisposable {
  const { settings, redactor, log, history } = options;
  const notifiers = createNotifiers(settings.channels, {
    redactor,
    warn: ({ channel, message, hint }) => log.warn(channel ? `${channel}: ${message}` : message, { hint }),
    facts: {
      lifeboat: version,
      stack: options.stack,
      host: hostname,
      nextRunAt: options.nextRunAt,
      channelsOf: options.channelsOf,
      lastGood: ({ stack, source }) => {
        const past = history.past().find((entry) => entry.stack === stack && entry.source === source);
        return past?.good ? { at: past.good.startedAt, id: past.good.outcome?.backup } : 'none';
      },
    },
  });
  const collect = createCollector(options.stack);
  return {
    name: 'notifications',
    read: (event) => {
      const outcome = collect(event);
      if (outcome) notifiers.tell(outcome);
    },
    [Symbol.asyncDispose]: () => notifiers.close(5_000),
  };
}

// --- utils ---

/** What is known of a run so far. */
interface Ongoing {
  readonly trigger: string;
  readonly startedAt: string;
  readonly asked: readonly SourceName[];
  readonly steps: Map<SourceName, Step>;
  readonly ended: { readonly stack: string; readonly result: SourceResult; readonly step: Step | undefined }[];
}

/** Follows the events of each run; its last event gives the outcome. */
function createCollector(ownStack: () => string): (event: RunEvent) => Outcome | undefined {
  const runs = new Map<string, Ongoing>();
  return (event) => {
    if (event.type === 'run.started') {
      const { trigger, at: startedAt, sources: asked } = event;
      runs.set(event.run, { trigger, startedAt, asked, steps: new Map(), ended: [] });
      return undefined;
    }
    const run = runs.get(event.run);
    if (!run) return undefined;
    const stack = event.stack ?? ownStack();
    if (event.type === 'step.started' && event.source) run.steps.set(event.source, event.step);
    if (event.type === 'source.finished') {
      run.ended.push({ stack, result: event.result, step: run.steps.get(event.source) });
    }
    if (event.type !== 'run.finished') return undefined;
    runs.delete(event.run);
    return run.trigger === 'restore' ? restoreOutcome(run, event, stack) : backupOutcome(run, event);
  };
}

type Finished = Extract<RunEvent, { type: 'run.finished' }>;

function backupOutcome(run: Ongoing, event: Finished): Outcome {
  const { trigger, startedAt } = run;
  const sources = run.ended.map(({ stack, result, step }) => ({
    ...result,
    stack,
    ...(result.result === 'failed' ? { step } : {}),
  }));
  const { run: id, at: finishedAt, result, error } = event;
  return { kind: 'backup', run: id, trigger, result, startedAt, finishedAt, sources, error };
}

function restoreOutcome(run: Ongoing, event: Finished, stack: string): Outcome | undefined {
  const [source] = run.asked;
  if (!source) return undefined;
  const { run: id, at: finishedAt, error } = event;
  const result = event.result === 'ok' || event.result === 'cancelled' ? event.result : 'failed';
  const safety = run.ended.find((entry) => entry.result.source === source)?.result.backup;
  const step = result === 'failed' ? run.steps.get(source) : undefined;
  return { kind: 'restore', stack, source, run: id, result, startedAt: run.startedAt, finishedAt, step, error, safety };
}
