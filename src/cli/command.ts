import type { Destination } from '../runs/context.ts';
import type { Operations } from '../runs/operations.ts';
import type { Configuration } from './config.ts';
import type { Output } from './output.ts';

/** What every command gets: a place to write, and how it was called. */
export interface Surroundings {
  readonly output: Output;
  readonly signal: AbortSignal;
  /** Whether somebody is there who can be asked. */
  readonly isInteractive: boolean;
  /** `--yes`: every question is answered already. */
  readonly assumesYes: boolean;
  /** Lifeboat's own. */
  readonly version: string;
  now(): Date;
  /** Loaded when it is asked about. */
  configuration(): Promise<Configuration>;
}

/** The same with the operations, wherever they run. */
export interface CommandContext extends Surroundings {
  readonly operations: Operations;
  readonly restore: { readonly delayMs: number; readonly requireConfirm: boolean };
}

/** What a command gets that only reads what lies in the destinations, whether a daemon runs or not. */
export interface ReadingContext extends Surroundings {
  destinations(): Promise<readonly Destination[]>;
}

/** Resolves with the exit code. */
export type Command<O = Record<string, unknown>, C = CommandContext> = (
  context: C,
  args: readonly string[],
  options: O,
) => Promise<number>;

/** A command that needs neither daemon nor Engine. */
export type LoneCommand<O = Record<string, unknown>> = Command<O, Surroundings>;

/** A command that reads the destinations itself: bytes need not pass a daemon. */
export type ReadingCommand<O = Record<string, unknown>> = Command<O, ReadingContext>;
