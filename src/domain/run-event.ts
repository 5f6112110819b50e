import type { SourceName } from './types.ts';

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
  | 'start';

/**
 * What happens in a run, as it happens. Logs, progress bars, notifications, metrics and the dashboard are all readers of
 * this one stream. No field ever holds a secret.
 */
export type RunEvent =
  | {
      readonly type: 'run.started';
      readonly run: string;
      readonly at: string;
      readonly sources: readonly SourceName[];
      readonly trigger: string;
    }
  | {
      readonly type: 'step.started';
      readonly run: string;
      readonly at: string;
      readonly source?: SourceName;
      readonly step: Step;
      readonly detail?: string;
    }
  | {
      readonly type: 'progress';
      readonly run: string;
      readonly at: string;
      readonly source: SourceName;
      readonly step: Step;
      readonly plainBytes: number;
      readonly storedBytes: number;
      readonly expectedBytes?: number;
    }
  | {
      readonly type: 'step.finished';
      readonly run: string;
      readonly at: string;
      readonly source?: SourceName;
      readonly step: Step;
      readonly detail?: string;
    }
  | {
      readonly type: 'warning';
      readonly run: string;
      readonly at: string;
      readonly source?: SourceName;
      readonly message: string;
      readonly hint?: string;
    }
  | {
      readonly type: 'source.finished';
      readonly run: string;
      readonly at: string;
      readonly source: SourceName;
      readonly result: SourceResult;
    }
  | {
      readonly type: 'run.finished';
      readonly run: string;
      readonly at: string;
      readonly result: 'ok' | 'degraded' | 'partial' | 'failed' | 'cancelled';
    };

/** How one source of a run ended. */
export interface SourceResult {
  readonly source: SourceName;
  readonly result: 'ok' | 'degraded' | 'failed' | 'cancelled' | 'skipped';
  readonly backup?: string;
  readonly plainBytes?: number;
  readonly storedBytes?: number;
  readonly durationMs: number;
  readonly destinations?: readonly {
    readonly name: string;
    readonly result: 'ok' | 'failed';
    readonly error?: Failure;
  }[];
  readonly error?: Failure;
}

/** An error as it is told to people and machines. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** Receives events; must not throw and must not block. */
export type Emit = (event: RunEvent) => void;
