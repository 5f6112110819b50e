import type { Readable } from 'node:stream';
import type { Told } from './counting.ts';

/** Where one database is put back, and how; one implementation per way of reaching it. */
export interface Place {
  /** Path in the container. */
  readonly path: string;
  /** Writes and checks a copy that nobody uses yet. Live data is as it was, whatever happens here. */
  stage(open: () => Promise<Readable>, bytes: number, signal: AbortSignal): Promise<Told>;
  /** Puts the staged copy where nothing is; rejects when something is. The container may run. */
  putBeside(signal: AbortSignal): Promise<void>;
  /** Moves the present set aside and the staged copy into its place. The container must not run. */
  switchOver(signal: AbortSignal): Promise<void>;
  /** Looks at what is in place now; returns what was found, in one phrase. */
  verify(signal: AbortSignal): Promise<string>;
  /** Whether the staged copy waits for its turn. */
  isStaged(): Promise<boolean>;
  /** Undoes as much of `switchOver` as was done. */
  putBack(): Promise<void>;
  /** Removes what was staged; safe to call at any time. */
  discard(): Promise<void>;
  /** Where the previous set is kept in the container; undefined when there was none. */
  kept(): string | undefined;
}
