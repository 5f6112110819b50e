import type { Operations } from '../runs/operations.ts';
import type { Output } from './output.ts';

/** What a command gets: the operations, wherever they run, and a place to write. */
export interface CommandContext {
  readonly operations: Operations;
  readonly output: Output;
  readonly signal: AbortSignal;
  readonly isInteractive: boolean;
  readonly restore: { readonly delayMs: number; readonly requireConfirm: boolean };
  now(): Date;
}

/** Resolves with the exit code. */
export type Command<O = Record<string, unknown>> = (
  context: CommandContext,
  args: readonly string[],
  options: O,
) => Promise<number>;
