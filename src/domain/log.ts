import type { Failure } from './run-event.ts';

/** The log of the daemon, for people and machines. Everything given to it is cleaned of secrets and control characters. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogLevel = keyof Log;

/** What a line is about; the same words everywhere, so that it can be filtered. */
export interface LogFields {
  readonly run?: string | undefined;
  readonly source?: string | undefined;
  readonly step?: string | undefined;
  readonly stack?: string | undefined;
  readonly destination?: string | undefined;
  /** Code of a failure. */
  readonly code?: string | undefined;
  /** What to do about it. */
  readonly hint?: string | undefined;
  /** What was thrown; its stack is logged too. */
  readonly error?: unknown;
}

/** The fields of a failure whose message is in the line itself. */
export function failureFields({ code, hint }: Failure): LogFields {
  return { code, ...(hint === undefined ? {} : { hint }) };
}
