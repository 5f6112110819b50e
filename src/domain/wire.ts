import { type ErrorCode, LifeboatError } from './errors.ts';
import type { Failure, RunEvent } from './run-event.ts';

/**
 * What the daemon and its clients say to each other over the control socket: JSON, and for whatever takes long a stream
 * of JSON lines. Both ends are always of the same version, as they lie in the same image.
 */

/** Where the socket lies; never mounted anywhere, so that only this container can ask. */
export const controlSocketVariable = 'LIFEBOAT_CONTROL_SOCKET';
export const usualControlSocket = '/run/lifeboat-control/daemon.sock';

/** The first thing a client asks: what it needs to know to speak and to show. */
export interface Hello {
  readonly lifeboat: string;
  readonly timezone: string;
  readonly restore: { readonly delayMs: number; readonly requireConfirm: boolean };
}

/** One line of a stream: the run's id first when there is a run, then its events, then exactly one result or error. */
export type StreamLine =
  | { readonly run: string }
  | { readonly event: RunEvent }
  | { readonly result: unknown }
  | { readonly error: WireError };

/** A LifeboatError in JSON. */
export interface WireError extends Failure {
  readonly retryable: boolean;
  readonly context: LifeboatError['context'];
}

export function toWireError({ code, message, hint, retryable, context }: LifeboatError): WireError {
  return { code, message, hint, retryable, context };
}

/** The error as the other side threw it. */
export function fromWireError({ code, message, hint, retryable, context }: WireError): LifeboatError {
  return new LifeboatError(code as ErrorCode, message, { hint, retryable, context });
}
