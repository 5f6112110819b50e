import type { Failure, RunResult, SourceResult, Step } from '../domain/run-event.ts';
import type { SourceName } from '../domain/types.ts';

/** Something that is over and that somebody may want to hear of. */
export type Outcome = FinishedBackup | FinishedRestore | ConfigProblems | ChannelProblem;

/** A source; two stacks may each have a `db/postgres`. */
export interface SourceRef {
  readonly stack: string;
  readonly source: SourceName;
}

/** A backup run over one or more sources. */
export interface FinishedBackup {
  readonly kind: 'backup';
  readonly run: string;
  readonly trigger: string;
  readonly result: RunResult;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly sources: readonly EndedSource[];
  /** Why the run failed as a whole, when no source says so. */
  readonly error?: Failure | undefined;
}

/** How one source ended, and in which step. */
export interface EndedSource extends SourceResult, SourceRef {
  readonly source: SourceName;
  readonly step?: Step | undefined;
}

/** A restore of one source. */
export interface FinishedRestore extends SourceRef {
  readonly kind: 'restore';
  readonly run: string;
  readonly result: 'ok' | 'failed' | 'cancelled';
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly step?: Step | undefined;
  readonly error?: Failure | undefined;
  /** The backup taken right before, when one was. */
  readonly safety?: string | undefined;
}

/** All problems the configuration has now; none means that it is in order again. */
export interface ConfigProblems {
  readonly kind: 'config';
  readonly at: string;
  readonly problems: readonly {
    readonly where: string;
    readonly message: string;
    readonly hint?: string | undefined;
  }[];
}

/** A channel that cannot be reached; the others tell of it. */
export interface ChannelProblem {
  readonly kind: 'channel';
  readonly at: string;
  readonly channel: string;
  readonly message: string;
}

/** The newest backup that could be restored. */
export interface LastGood {
  readonly at: string;
  readonly id?: string | undefined;
}

/**
 * What a message says beside the outcome itself. Asked when an outcome is told; must answer at once, from memory or the
 * history. An answer that fails is an answer that is missing.
 */
export interface Facts {
  /** Lifeboat's own version. */
  readonly lifeboat: string;
  /** The name of the stack, for what belongs to none of its sources. */
  stack(): string;
  host(): string;
  /** `none` when it is certain that there is none; undefined when it is not known. */
  lastGood?(source: SourceRef): LastGood | 'none' | undefined;
  nextRunAt?(source: SourceRef): string | undefined;
  /** Names of the channels that hear of it; all without this, or when it is not known. */
  channelsOf?(source: SourceRef): readonly string[] | undefined;
}

/** What tells a source from every other. */
export function sourceKey({ stack, source }: SourceRef): string {
  return JSON.stringify([stack, source]);
}
