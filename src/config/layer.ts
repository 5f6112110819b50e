import type { Origin } from './origin.ts';
import { type Problem, problem, subject } from './problems.ts';
import type { Secret } from './secret.ts';
import { engineSwitch } from './value.ts';
import type { KeyEntry, Vocabulary } from './vocabulary.ts';

/** A value as it was written, and where. */
export interface Written {
  readonly value: string | Secret;
  readonly origin: Origin;
}

/** What one carrier says at one level, by key. */
export type Layer = ReadonlyMap<string, Written>;

/** Whom a value concerns: the sidecar, or one service or one of its extra sources. */
export interface Scope {
  readonly service?: string;
  readonly source?: string;
}

/** Puts a value into a layer; returns what is wrong with doing so. Does not look at the value's grammar. */
export function place(
  layer: Map<string, Written>,
  vocabulary: Vocabulary,
  entry: KeyEntry,
  written: Written,
  scope: Scope,
): Problem | undefined {
  const { key, value } = valueHolder(vocabulary, entry, written);
  if (typeof value === 'string' && value.trim() === '') return emptyValue(entry, written.origin, scope);
  const before = layer.get(key);
  if (!before) {
    layer.set(key, { value, origin: written.origin });
    return undefined;
  }
  // Neither may win by chance: what tunes falls to the default, the rest is disabled by the effect.
  layer.delete(key);
  return problem({
    ...scopeOf(entry, scope),
    severity: 'error',
    effect: effectOfBadValue(entry, scope),
    origin: written.origin,
    key: entry.key,
    message: `${subject(written.origin, entry.key)} and ${subject(before.origin, entry.key)} set the same thing`,
    hint: 'Remove one of them',
  });
}

/** What an invalid value does: guessing is allowed only for what tunes. */
export function effectOfBadValue(entry: Pick<KeyEntry, 'kind'>, scope: Scope): Problem['effect'] {
  if (entry.kind === 'tuning') return 'default-used';
  return scope.service === undefined ? 'cannot-start' : 'source-disabled';
}

/** The scope of a problem with this key: an engine's key concerns that engine only. */
export function scopeOf(entry: Pick<KeyEntry, 'engine'>, scope: Scope): Scope {
  return scope.service !== undefined && scope.source === undefined && entry.engine !== undefined
    ? { ...scope, source: entry.engine }
    : scope;
}

// --- utils ---

/** `lifeboat.sqlite: /data/app.db` sets the engine's bare option; `lifeboat.sqlite: true` its switch. */
function valueHolder(
  vocabulary: Vocabulary,
  entry: KeyEntry,
  { value }: Written,
): { key: string; value: string | Secret } {
  const bare =
    entry.engine !== undefined && entry.option === undefined ? vocabulary.engines.get(entry.engine)?.bare : undefined;
  const isSwitch = typeof value !== 'string' || isEngineSwitch(value);
  return { key: bare && !isSwitch ? bare.key : entry.key, value };
}

function isEngineSwitch(value: string): boolean {
  try {
    engineSwitch.parse(value);
    return true;
  } catch {
    // The only question here is which of two keys is meant; the value itself is judged when it is read.
    return false;
  }
}

function emptyValue(entry: KeyEntry, origin: Origin, scope: Scope): Problem {
  const isTuning = entry.kind === 'tuning';
  return problem({
    ...scopeOf(entry, scope),
    severity: isTuning ? 'warning' : 'error',
    effect: effectOfBadValue(entry, scope),
    origin,
    key: entry.key,
    message: `${subject(origin, entry.key)} is empty`,
    hint:
      origin.from === 'label'
        ? 'Compose replaces $NAME in values, by nothing when NAME is not set: write $$NAME for a dollar sign'
        : 'Remove it to use the default',
  });
}
