/** One thing that was looked at, and how it stands. */
export interface Check {
  /** What it belongs to, e.g. `engine`, `destinations`. */
  readonly category: string;
  readonly name: string;
  /** `note`: nothing is wrong, but one should know it. */
  readonly status: 'pass' | 'note' | 'warn' | 'fail';
  readonly message: string;
  /** What to do next. */
  readonly hint?: string | undefined;
}

/** The worst of them; a note changes nothing. */
export function worstOf(checks: readonly Pick<Check, 'status'>[]): Exclude<Check['status'], 'note'> {
  if (checks.some(({ status }) => status === 'fail')) return 'fail';
  return checks.some(({ status }) => status === 'warn') ? 'warn' : 'pass';
}
