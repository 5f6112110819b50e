import type { RunResult, SourceResult, Step } from '../domain/run-event.ts';

/**
 * A channel through which people or machines are told. It formats, sends once, and says what became of it; waiting,
 * repeating and giving up are the business of `delivery.ts`.
 */
export interface Notifier {
  /** The name of the channel, as in `lifeboat.notify`. */
  readonly name: string;
  /**
   * Resolves when the receiver has taken the message. Rejects with `Undelivered`, which says whether to try again, or
   * with CANCELLED when the signal was aborted. Calling it again with the same message is the same delivery: what tells
   * duplicates apart (`webhook-id`) does not change. No error ever holds the channel's address, which is a secret.
   */
  notify(message: Message, signal: AbortSignal): Promise<void>;
}

export type MessageType = Message['type'];

/**
 * Everything a channel needs to write its message. All texts are clean already: without secrets, without control
 * characters, of bounded length. They are not escaped: how that is done is what channels differ in.
 */
export type Message = RunMessage | ProblemMessage;

interface Envelope {
  /** Unique, and the same for every attempt to deliver it. */
  readonly id: string;
  /** When it happened; ISO-8601 in UTC. */
  readonly at: string;
  readonly stack: string;
  readonly host: string;
  /** The version that speaks. */
  readonly lifeboat: string;
  /** The one command that helps now, as typed on the host. */
  readonly command?: string | undefined;
}

/** One finished run, as far as the channel hears of its services. */
export interface RunMessage extends Envelope {
  readonly type:
    | 'run.succeeded'
    | 'run.recovered'
    | 'run.degraded'
    | 'run.failed'
    | 'restore.succeeded'
    | 'restore.failed';
  readonly run: string;
  readonly trigger: string;
  readonly result: RunResult;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Why the run failed as a whole, when no source is to blame. */
  readonly error?: MessageError | undefined;
  /** Worst first. */
  readonly sources: readonly MessageSource[];
  readonly counts: { readonly total: number; readonly ok: number };
  /** How many sources of `counts.total` are not among `sources`, to keep the message small. */
  readonly leftOut: number;
}

export interface MessageSource {
  /** What people call it: `service/source`, with the stack where there are several. */
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  readonly source: string;
  readonly result: SourceResult['result'];
  /** It had a problem before and has none now. */
  readonly hasRecovered: boolean;
  /** Its own, or one for each destination that was not reached. */
  readonly errors: readonly MessageError[];
  /** What this run kept. */
  readonly backup?: MessageBackup | undefined;
  readonly lastGood?: MessageLastGood | 'none' | undefined;
  readonly nextRunAt?: string | undefined;
}

export interface MessageError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly step?: Step | undefined;
  readonly destination?: string | undefined;
}

export interface MessageBackup {
  readonly id: string;
  readonly plainBytes?: number | undefined;
  readonly storedBytes?: number | undefined;
  /** Where it lies. */
  readonly destinations: readonly string[];
}

/** The newest backup that could be restored, and how old it was when the message was made. */
export interface MessageLastGood {
  readonly at: string;
  readonly id?: string | undefined;
  readonly ageMs: number;
}

/** What is wrong with the configuration, or with a channel itself. */
export interface ProblemMessage extends Envelope {
  readonly type: 'config.problem';
  readonly problems: readonly {
    readonly where: string;
    readonly message: string;
    readonly hint?: string | undefined;
  }[];
  readonly leftOut: number;
}
