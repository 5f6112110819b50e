import type { SourceName } from './types.ts';
import type { VerifiedBackup } from './verification.ts';

/** The steps of a run, in the order a person sees them. */
export type Step =
  | 'wait'
  | 'survey'
  | 'stop'
  | 'dump'
  | 'prove'
  | 'publish'
  | 'copy'
  | 'safety'
  | 'stage'
  | 'check'
  | 'switch'
  | 'start'
  | 'verify'
  | 'sweep';

/** Each step as people read it, before what it is about. */
export const stepWords: Readonly<Record<Step, string>> = {
  wait: 'waiting',
  survey: 'looking at',
  stop: 'stopping',
  dump: 'dumping',
  prove: 'proving',
  publish: 'publishing',
  copy: 'copying',
  safety: 'safety backup',
  stage: 'staging',
  check: 'checking',
  switch: 'switching',
  start: 'starting',
  verify: 'verifying',
  sweep: 'sweeping',
};

/** How a run ended. */
export type RunResult = 'ok' | 'degraded' | 'partial' | 'failed' | 'cancelled';

/** In which run something happened, and when. */
interface Moment {
  readonly run: string;
  readonly at: string;
  /** The stack of the event's source: two stacks may each have a `db/postgres`. */
  readonly stack?: string;
}

/**
 * What happens in a run, as it happens. Logs, progress bars, notifications, metrics and the dashboard are all readers of
 * this one stream. No field ever holds a secret.
 */
export type RunEvent =
  | (Moment & {
      readonly type: 'run.started';
      readonly sources: readonly SourceName[];
      /** Those of the sources, each once. */
      readonly stacks: readonly string[];
      readonly trigger: string;
    })
  | (Moment & {
      readonly type: 'step.started';
      readonly source?: SourceName;
      readonly step: Step;
      readonly detail?: string;
    })
  | (Moment & {
      readonly type: 'progress';
      readonly source: SourceName;
      readonly step: Step;
      readonly plainBytes: number;
      readonly storedBytes: number;
      readonly expectedBytes?: number;
    })
  | (Moment & {
      readonly type: 'step.finished';
      readonly source?: SourceName;
      readonly step: Step;
      readonly detail?: string;
    })
  | (Moment & {
      readonly type: 'warning';
      readonly source?: SourceName;
      readonly message: string;
      readonly hint?: string;
    })
  | (Moment & {
      readonly type: 'source.finished';
      readonly source: SourceName;
      readonly result: SourceResult;
    })
  | (Moment & {
      readonly type: 'run.finished';
      readonly result: RunResult;
      /** Why the run failed as a whole, when no result of a source says so. */
      readonly error?: Failure;
    });

/** How one source of a run ended. */
export interface SourceResult {
  readonly source: SourceName;
  /** `degraded`: not in every destination; `partial`: it lacks what could not be read as it was. */
  readonly result: 'ok' | 'degraded' | 'partial' | 'failed' | 'cancelled' | 'skipped';
  readonly backup?: string;
  readonly plainBytes?: number;
  readonly storedBytes?: number;
  readonly durationMs: number;
  readonly destinations?: readonly {
    readonly name: string;
    readonly result: 'ok' | 'failed';
    readonly error?: Failure;
  }[];
  /** What a verify run found out; `result` then speaks of the backup that was looked at. */
  readonly verified?: VerifiedBackup;
  /** What a copy run did with the backup; `result` then speaks of that. */
  readonly copied?: CopiedBackup;
  readonly error?: Failure;
}

/** A backup that was to be brought to another destination. */
export interface CopiedBackup {
  readonly to: string;
  readonly sentBytes: number;
  /** What an attempt before had brought there already. */
  readonly foundBytes: number;
}

/** An error as it is told to people and machines. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Receives events; must not throw and must not block. */
export type Emit = (event: RunEvent) => void;
