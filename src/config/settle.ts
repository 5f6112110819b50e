import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { effectOfBadValue, type Layer, type Scope, scopeOf, type Written } from './layer.ts';
import type { Origin } from './origin.ts';
import { type Problem, problem, subject } from './problems.ts';
import type { KeyEntry } from './vocabulary.ts';

/** The value that holds for each key that was set somewhere; every one of them is valid. */
export type Rows = ReadonlyMap<string, Written>;

/** What was decided, and what had to be put aside. */
export interface Settled {
  readonly rows: Rows;
  readonly problems: readonly Problem[];
}

/** Says what is wrong with a value beyond its grammar; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined;

/**
 * Decides each key: the first layer that has it wins; a value that is invalid gives way to the level above (`parent`),
 * never to a weaker layer of the same level, which would be a guess.
 */
export function settle(
  entries: Iterable<KeyEntry>,
  layers: readonly Layer[],
  parent: Rows,
  scope: Scope,
  checks: ReadonlyMap<string, Check> = new Map(),
): Settled {
  const rows = new Map(parent);
  const problems: Problem[] = [];
  for (const entry of entries) {
    const written = layers.map((layer) => layer.get(entry.key)).find((found) => found !== undefined);
    if (!written) continue;
    const complaint = complaintOf(entry, written, checks.get(entry.key));
    if (complaint === undefined) rows.set(entry.key, written);
    else problems.push(invalidValue(entry, written.origin, complaint, scope));
  }
  return { rows, problems };
}

/** The problem with a value of this key. */
export function invalidValue(entry: KeyEntry, origin: Origin, complaint: string, scope: Scope): Problem {
  return problem({
    ...scopeOf(entry, scope),
    severity: 'error',
    effect: effectOfBadValue(entry, scope),
    origin,
    key: entry.key,
    message: `${subject(origin, entry.key)}: ${complaint}`,
  });
}

/** The typed values of the rows, defaults filled in. The rows are valid, so this does not fail. */
export function typed<S extends z.ZodObject>(keys: S, rows: Rows): z.output<S> {
  const known = Object.keys(keys.shape).filter((key) => rows.has(key));
  return keys.parse(Object.fromEntries(known.map((key) => [key, rows.get(key)?.value])));
}

// --- utils ---

function complaintOf(entry: KeyEntry, { value }: Written, check: Check | undefined): string | undefined {
  try {
    const result = z.core.safeParse(entry.schema, value);
    if (result.success) return check?.(result.data);
    return result.error.issues.map((issue) => issue.message).join('; ');
  } catch (error) {
    if (!(error instanceof LifeboatError)) throw error;
    return error.message;
  }
}
