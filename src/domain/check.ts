/** One thing that was looked at, and how it stands. */
export interface Check {
  /** What it belongs to, e.g. `engine`, `destinations`. */
  readonly category: string;
  readonly name: string;
  readonly status: 'pass' | 'warn' | 'fail';
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** The worst of them. */
export function worstOf(checks: readonly Pick<Check, 'status'>[]): Check['status'] {
  if (checks.some(({ status }) => status === 'fail')) return 'fail';
  return checks.some(({ status }) => status === 'warn') ? 'warn' : 'pass';
}
