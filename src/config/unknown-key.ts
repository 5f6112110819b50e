import { nearest } from '../domain/nearest.ts';
import { planned, plannedFor } from './available.ts';
import type { Scope } from './layer.ts';
import { labelText, type Origin } from './origin.ts';
import { type Problem, problem, subject } from './problems.ts';

/**
 * The problem with a key that is in no vocabulary. `candidates` are written as `key` is; what stands before it in
 * `written` (a prefix, a group) is put before the suggestion and does not count as likeness.
 */
export function unknownKey(
  origin: Origin,
  written: string,
  key: string,
  candidates: Iterable<string>,
  scope: Scope,
): Problem {
  const promised = plannedFor(key);
  const facts = { ...scope, severity: 'warning', effect: 'ignored', origin } as const;
  if (promised?.isProtection && scope.service === undefined) {
    return problem({
      ...facts,
      severity: 'error',
      effect: 'cannot-start',
      message: `${subject(origin, written)} is not supported by this version yet, and without it backups would not be encrypted`,
      hint: 'Remove it to store backups unencrypted',
    });
  }
  if (promised) {
    return problem({ ...facts, message: `${subject(origin, written)} is not supported by this version yet` });
  }
  const start = written.endsWith(key) ? written.slice(0, written.length - key.length) : '';
  const guess = nearest(key, candidates) ?? nearestPlanned(key);
  return problem({
    ...facts,
    message: `unknown ${nounOf(origin)}${subject(origin, written)}${guess === undefined ? '' : ` – did you mean ${labelText(start)}${guess}?`}`,
  });
}

// --- utils ---

function nearestPlanned(key: string): string | undefined {
  const name = nearest(key.replaceAll('_', '-'), planned.keys());
  return name === undefined ? undefined : `${name} (which this version does not support yet)`;
}

function nounOf(origin: Origin): string {
  return origin.from === 'environment' ? 'variable ' : '';
}
