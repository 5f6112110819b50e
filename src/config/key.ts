import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { type Grammar, text } from '../domain/grammar.ts';
import { grammarOf, type Option } from '../domain/option.ts';
import { Secret } from './secret.ts';

/**
 * What a bad value of a key does. `tuning`: the next level's default is used. `data` and `secret`: nothing may be
 * guessed, so the source (or, on the sidecar, the start) fails.
 */
export type Kind = 'tuning' | 'data' | 'secret';

/** What the schema says of a key beside its type. */
export interface KeyFacts {
  readonly kind: Kind;
  /** De-facto names of other products, read when our own variable is not set: `TZ`, `DOCKER_HOST`. */
  readonly variables?: readonly string[];
  /** For a key that is also a group: the name of its own value when written as an object, `codec: {name: zstd}`. */
  readonly member?: string;
}

interface Words extends KeyFacts {
  /** The reference documentation of the key. */
  readonly means: string;
}

const registry = z.registry<KeyFacts>();

/** A key with a default, which is written as a person would write it. */
export function key<T>(schema: Option<T>, words: Words & { readonly default: string }): z.ZodPrefault<Option<T>> {
  return register(schema.prefault(words.default).describe(words.means), words);
}

/** A key that may stay unset. */
export function optionalKey<T>(schema: Option<T>, words: Words): z.ZodOptional<Option<T>> {
  return register(schema.optional().describe(words.means), words);
}

/** A key whose value is a secret; `check` throws CONFIG_INVALID with a message that does not repeat the value. */
export function secretKey(
  words: Omit<Words, 'kind'>,
  check?: (text: string) => unknown,
): z.ZodOptional<z.ZodType<Secret, Secret>> {
  const schema: z.ZodType<Secret, Secret> = z
    .custom<Secret>((value) => value instanceof Secret)
    .superRefine((secret, context) => {
      try {
        check?.(secret.reveal());
      } catch (error) {
        if (!(error instanceof LifeboatError)) throw error;
        context.addIssue({ code: 'custom', message: [error.message, error.hint].filter(Boolean).join('; ') });
      }
    });
  return register(schema.optional().describe(words.means), { ...words, kind: 'secret' });
}

/** The facts of a key of ours; every option of an engine is `data`. */
export function factsOf(schema: z.core.$ZodType): KeyFacts {
  return registry.get(schema) ?? { kind: 'data' };
}

/** `stop.timeout` → `LIFEBOAT_STOP_TIMEOUT`: the only rule between a key and its variable. */
export function variableOf(key: string): string {
  return `LIFEBOAT_${key.replace(/[.-]/g, '_').toUpperCase()}`;
}

/** How the text of a key is read; a secret is any text. */
export function readerOf(schema: z.core.$ZodType): Grammar<unknown> {
  return grammarOf(schema) ?? text;
}

// --- utils ---

function register<S extends z.ZodType>(schema: S, { kind, variables, member }: KeyFacts): S {
  registry.add(schema, { kind, ...(variables && { variables }), ...(member && { member }) });
  return schema;
}
