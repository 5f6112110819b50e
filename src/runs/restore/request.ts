import type { Manifest } from '../../domain/manifest.ts';
import type { RestoreTarget } from '../../engines/engine.ts';
import type { Destination } from '../context.ts';
import type { Source } from '../source.ts';

/** What somebody wants restored, and where to. */
export interface RestoreRequest {
  readonly source: Source;
  /** How a person types it: with its stack where there are several. */
  readonly name: string;
  readonly manifest: Manifest;
  /** Where it lies; all but the first are for the case that one is damaged. */
  readonly copies: readonly Destination[];
  readonly as?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skipSafety: boolean;
  readonly run: string;
}

export function targetOf({ as, only, run }: RestoreRequest): RestoreTarget {
  return { as, only, suffix: run.slice(-6) };
}
