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

/** Resolves with the exit code. */
export type Command<O = Record<string, unknown>, C = CommandContext> = (
  context: C,
  args: readonly string[],
  options: O,
) => Promise<number>;

/** A command that needs neither daemon nor Engine. */
export type LoneCommand<O = Record<string, unknown>> = Command<O, Surroundings>;
