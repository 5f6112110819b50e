import { hostname } from 'node:os';
import type { Settings } from '../config/settings.ts';
import type { Log } from '../domain/log.ts';
import type { Redactor } from '../domain/redact.ts';
import { createNotifiers } from '../notifiers/index.ts';
import type { SourceRef } from '../notifiers/outcome.ts';
import { createRunReader } from '../notifiers/run-reader.ts';
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
        // The history may have been lost: what it does not know is not known, rather than none.
        return past?.good && { at: past.good.startedAt, id: past.good.outcome?.backup };
      },
    },
  });
  return {
    name: 'notifications',
    read: createRunReader((outcome) => notifiers.tell(outcome), options.stack),
    [Symbol.asyncDispose]: () => notifiers.close(5_000),
  };
}
