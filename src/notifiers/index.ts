import { randomUUID } from 'node:crypto';
import type { Channel } from '../domain/channel.ts';
import type { Redactor } from '../domain/redact.ts';
import { secretsIn, signingKeys } from '../domain/signing-secret.ts';
import { createCleaner } from './clean.ts';
import { type Clock, createDelivery, type Delivery, standardRetryMs, systemClock } from './delivery.ts';
import { careful } from './facts.ts';
import { composeMessage } from './message.ts';
import type { Notifier } from './notifier.ts';
import { createMemory, type Memory } from './open-problems.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { Facts, Outcome } from './outcome.ts';
import { channelReached, type Hears, judge } from './policy.ts';
import { createPoster, type Poster, webhookUrl } from './post.ts';
import { createSlack } from './slack.ts';
import { createWebhook } from './webhook.ts';

/** Something about notifications that a person should know, for the log. Clean text. */
export interface Warning {
  /** The channel it is about, which the message does not name again. */
  readonly channel: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
}

export interface NotifiersOptions {
  readonly redactor: Redactor;
  readonly facts: Facts;
  /** Must not throw. */
  warn(warning: Warning): void;
  /** Lives as long as the process without this. */
  readonly memory?: Memory;
  readonly outbox?: (channel: string) => Outbox;
  readonly poster?: Poster;
  readonly clock?: Clock;
  readonly retryMs?: readonly number[];
}

export interface Notifiers {
  /** Decides who hears of it and hands the messages over. Never throws, never waits: a run is over when it is over. */
  tell(outcome: Outcome): void;
  /** Gives what is still waiting one last chance within this time. Never rejects. */
  close(graceMs: number): Promise<void>;
}

/** Opens the channels; connects nowhere yet. Throws CONFIG_INVALID for a URL or a signing secret that cannot be used. */
export function createNotifiers(channels: readonly Channel[], options: NotifiersOptions): Notifiers {
  const { redactor, clock = systemClock, retryMs = standardRetryMs, memory = createMemory() } = options;
  const { poster = createPoster({ now: () => clock.now() }), outbox = () => createOutbox() } = options;
  for (const channel of channels) learn(channel, redactor);
  const cleaner = createCleaner(redactor);
  const warn = (channel: string | undefined, message: string, hint?: string) =>
    options.warn({
      channel,
      message: cleaner.text(message),
      hint: hint === undefined ? undefined : cleaner.text(hint),
    });
  const facts = careful(options.facts, (message) => warn(undefined, message));
  const hears: Hears = (channel, source) => facts.channelsOf?.(source)?.includes(channel) ?? true;

  const deliveries = new Map<string, Delivery>(channels.map((channel) => [channel.name, open(channel)]));
  let isClosed = false;

  function open(channel: Channel): Delivery {
    const { name } = channel;
    const notifier = openChannel(channel, poster, `Lifeboat/${facts.lifeboat}`, () => clock.now());
    return createDelivery(notifier, outbox(name), {
      clock,
      retryMs,
      warn: (message, hint) => warn(name, message, hint),
      onReached: () => {
        const before = memory.load();
        const after = channelReached(before, name);
        if (after !== before) memory.save(after);
      },
      onDead: (message) => tell({ kind: 'channel', at: clock.now().toISOString(), channel: name, message }),
    });
  }

  function tell(outcome: Outcome): void {
    if (isClosed) return;
    try {
      const { state, tellings } = judge(memory.load(), outcome, channels, hears);
      for (const telling of tellings) {
        const message = composeMessage(outcome, telling, {
          id: `msg_${randomUUID()}`,
          facts,
          cleaner,
          hears: (source) => hears(telling.channel, source),
        });
        deliveries.get(telling.channel)?.add(message);
      }
      memory.save(state);
    } catch (error) {
      warn(undefined, `an outcome could not be told: ${error instanceof Error ? error.message : 'unknown reason'}`);
    }
  }

  return {
    tell,
    close: async (graceMs) => {
      isClosed = true;
      await Promise.all([...deliveries.values()].map((delivery) => delivery.close(graceMs)));
      await poster.close();
    },
  };
}

// --- utils ---

/** All kinds of channels. */
function openChannel(channel: Channel, { post }: Poster, userAgent: string, now: () => Date): Notifier {
  const { name } = channel;
  const url = webhookUrl(name, channel.url.reveal());
  switch (channel.name) {
    case 'slack':
      return createSlack({ name, url, post, userAgent });
    case 'webhook': {
      const keys = channel.secret ? signingKeys(channel.secret.reveal()) : [];
      return createWebhook({ name, url, keys, post, userAgent, now });
    }
  }
}

/** The address of a channel is a secret too: whoever has it may write there. */
function learn(channel: Channel, redactor: Redactor): void {
  redactor.add(channel.url.reveal());
  if (channel.name !== 'webhook' || !channel.secret) return;
  for (const secret of secretsIn(channel.secret.reveal())) redactor.add(secret);
}
