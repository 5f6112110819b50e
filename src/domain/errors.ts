/**
 * Error rules. A message says what failed (lower case, no full stop); a hint says what to do next. Foreign errors are
 * converted once, in the adapter that met them, with the original as `cause`. Log or throw, never both.
 */

/** Every way Lifeboat fails; each code has a section in docs/reference/errors.md. */
export type ErrorCode =
  | 'USAGE'
  | 'CONFIG_INVALID'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_NOT_RUNNING'
  | 'SOURCE_UNHEALTHY'
  | 'SOURCE_REPLACED'
  | 'BACKUP_NOT_FOUND'
  | 'RUN_NOT_FOUND'
  | 'DAEMON_UNAVAILABLE'
  | 'DOCKER_UNAVAILABLE'
  | 'DOCKER_REFUSED'
  | 'TOOL_MISSING'
  | 'LOGIN_FAILED'
  | 'COMMAND_FAILED'
  | 'DUMP_INCOMPLETE'
  | 'DUMP_EMPTY'
  | 'PROOF_FAILED'
  | 'STALLED'
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNMARKED'
  | 'STORE_FULL'
  | 'OBJECT_NOT_FOUND'
  | 'OBJECT_EXISTS'
  | 'ARTIFACT_CORRUPT'
  | 'RESTORE_REFUSED'
  | 'RESTORE_FAILED'
  | 'QUIESCE_FAILED'
  | 'LOCKED'
  | 'CANCELLED'
  | 'INTERNAL';

export interface ErrorDetails {
  /** What the reader should do next; may name a command. */
  readonly hint?: string | undefined;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable?: boolean;
  /** Facts for the log; never a secret. */
  readonly context?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly cause?: unknown;
}

/** The one error class of the project. */
export class LifeboatError extends Error {
  override readonly name = 'LifeboatError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly context: Readonly<Record<string, string | number | boolean | undefined>>;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.hint = details.hint;
    this.retryable = details.retryable ?? false;
    this.context = details.context ?? {};
  }
}

/** Any thrown value as a LifeboatError; an unknown one becomes INTERNAL with itself as the cause. */
export function asLifeboatError(thrown: unknown): LifeboatError {
  if (thrown instanceof LifeboatError) return thrown;
  if (thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')) {
    return thrown.cause instanceof LifeboatError
      ? thrown.cause
      : new LifeboatError('CANCELLED', 'the operation was cancelled', { cause: thrown });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new LifeboatError('INTERNAL', message, { cause: thrown });
}

/** True for a LifeboatError with one of the codes. */
export function isLifeboatError(thrown: unknown, ...codes: ErrorCode[]): thrown is LifeboatError {
  return thrown instanceof LifeboatError && (codes.length === 0 || codes.includes(thrown.code));
}

/** Process exit codes: aligned with restic's 0, 1, 3, 10, 11, 130; unknown codes mean failure. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  configProblems: 5,
  destinationUnavailable: 10,
  locked: 11,
  notFound: 13,
  verificationFailed: 20,
  cannotStart: 78,
  interrupted: 130,
} as const;

const exitCodeOf: Partial<Record<ErrorCode, number>> = {
  USAGE: exitCodes.usage,
  CONFIG_INVALID: exitCodes.configProblems,
  SOURCE_NOT_FOUND: exitCodes.notFound,
  BACKUP_NOT_FOUND: exitCodes.notFound,
  RUN_NOT_FOUND: exitCodes.notFound,
  STORE_UNAVAILABLE: exitCodes.destinationUnavailable,
  STORE_UNMARKED: exitCodes.destinationUnavailable,
  LOCKED: exitCodes.locked,
  ARTIFACT_CORRUPT: exitCodes.verificationFailed,
  PROOF_FAILED: exitCodes.verificationFailed,
  CANCELLED: exitCodes.interrupted,
};

/** The exit code a command ends with when this error is its outcome. */
export function exitCodeFor(error: LifeboatError): number {
  const { cannotStart } = exitCodes;
  if (error.code === 'CONFIG_INVALID' && error.context.exitCode === cannotStart) return cannotStart;
  return exitCodeOf[error.code] ?? exitCodes.failed;
}
