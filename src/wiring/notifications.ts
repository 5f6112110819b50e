import type { Problem } from '../config/problems.ts';
import type { Settings } from '../config/settings.ts';
import type { Log } from '../domain/log.ts';
import type { Redactor } from '../domain/redact.ts';
import { createNotifiers } from '../notifiers/index.ts';
import type { Message } from '../notifiers/notifier.ts';
import { createMemory, type PolicyState } from '../notifiers/open-problems.ts';
import { createOutbox } from '../notifiers/outbox.ts';
import type { SourceRef } from '../notifiers/outcome.ts';
import { createRunReader } from '../notifiers/run-reader.ts';
import type { EventReader } from '../runs/history/event-bus.ts';
import type { History } from '../runs/history/history.ts';
import type { Unrepaired } from '../runs/journal/repair.ts';
import { version } from '../version.ts';

export interface NotificationOptions {
  readonly settings: Settings;
  readonly redactor: Redactor;
  readonly log: Log;
  readonly history: History;
  nextRunAt(source: SourceRef): string | undefined;
  /** The channels that configuration names for a source. */
  channelsOf(source: SourceRef): readonly string[] | undefined;
  stack(): string;
  host(): string;
}

/** Tells the configured channels; what was told survives a restart. */
export interface Notifications extends EventReader, AsyncDisposable {
  /** Tells of what is new among everything that is wrong with the configuration now. */
  configuration(problems: readonly Problem[]): void;
  /** Tells of a restore that an earlier process left, and that could not be put right. */
  leftOpen(left: Unrepaired): void;
}

const noteName = 'what was told';
const farewellMs = 5_000;

/** One more reader of the events, which never holds up a run. */
export function createNotifications(options: NotificationOptions): Notifications {
  const { settings, redactor, log, history } = options;
  const notifiers = createNotifiers(settings.channels, {
    redactor,
    memory: createMemory((history.noted(noteName) ?? {}) as PolicyState, (state) => history.note(noteName, state)),
    outbox: (channel) => {
      const note = `messages for ${channel}`;
      return createOutbox({
        left: (history.noted(note) ?? []) as readonly Message[],
        keep: (messages) => history.note(note, messages),
      });
    },
    warn: ({ channel, message, hint }) => log.warn(channel ? `${channel}: ${message}` : message, { hint }),
    facts: {
      lifeboat: version,
      stack: options.stack,
      host: options.host,
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
    configuration: (problems) =>
      notifiers.tell({
        kind: 'config',
        at: new Date().toISOString(),
        problems: problems.map(({ service, message, hint }) => ({ where: service ?? 'sidecar', message, hint })),
      }),
    leftOpen: ({ intent, at, failure }) => {
      if (intent.kind !== 'restore' || intent.undo === undefined) return;
      const { container, source, suffix } = intent;
      notifiers.tell({
        ...{ kind: 'restore', stack: container.stack || options.stack(), source, run: suffix, result: 'failed' },
        ...{ startedAt: at, finishedAt: new Date().toISOString(), error: failure },
      });
    },
    [Symbol.asyncDispose]: () => notifiers.close(farewellMs),
  };
}
