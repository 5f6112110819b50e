import { z } from 'zod';
import { LifeboatError } from './errors.ts';
import { bool, type Grammar, integer, list, oneOf, text } from './grammar.ts';
import { duration, size } from './quantity.ts';
import { schedule } from './schedule.ts';

/**
 * Options as zod types. Labels, variables and the configuration file carry text only, so every option reads text by the
 * value grammar; a value that is typed already (from our own code, from a manifest) passes as it is. Give each option a
 * `.describe()`: it is the reference documentation. Defaults are best written as text: `.prefault('6h')`.
 */
export type Option<T> = z.ZodType<T, T | string>;

const grammars = z.registry<{ readonly grammar: Grammar<unknown> }>();
const bareOptions = z.registry<{ readonly bare: true }>();

/** An option of any grammar; `typed` says what is let through without parsing. */
export function option<T>(grammar: Grammar<T>, typed: z.ZodType<T, T>): Option<T> {
  const schema = z
    .union([typed, z.string()], { error: `expected ${grammar.allowed}` })
    .transform((value: T | string, context): T => {
      if (typeof value !== 'string') return value;
      try {
        return grammar.parse(value);
      } catch (error) {
        if (!(error instanceof LifeboatError)) throw error;
        context.addIssue({ code: 'custom', message: error.message });
        return z.NEVER;
      }
    });
  grammars.add(schema, { grammar });
  return schema;
}

/** Yes or no. */
export const optionBool = (): Option<boolean> => option(bool, z.boolean());
/** A whole number between two bounds, both included. */
export const optionInteger = (min?: number, max?: number): Option<number> => option(integer(min, max), z.number());
/** Milliseconds. */
export const optionDuration = (of: Grammar<number> = duration): Option<number> => option(of, z.number());
/** Bytes. */
export const optionSize = (): Option<number> => option(size, z.number());
/** Any text without control characters. */
export const optionText = (): Option<string> => option(text, z.string());
/** When something runs, as text. */
export const optionSchedule = (): Option<string> => option(schedule, z.string());

/** A list; `of` is the grammar of its items, any text when absent. */
export function optionList<T extends string = string>(of?: Grammar<T>): Option<readonly T[]> {
  const item = of ?? (text as Grammar<string> as Grammar<T>);
  return option(
    list(item),
    z.custom<readonly T[]>((value) => Array.isArray(value) && value.every((part) => typeof part === 'string')),
  );
}

/** One of a few words. */
export function optionOneOf<const W extends string>(words: readonly [W, ...W[]]): Option<W> {
  const typed = z.custom<W>((value) => words.some((word) => word === value));
  return option(oneOf(words), typed);
}

/**
 * Marks the option that the bare label of an engine sets: with `paths: bareOption(optionList())` the label
 * `lifeboat.sqlite: /data/app.db` means `lifeboat.sqlite.paths`, and switches the engine on.
 */
export function bareOption<S extends z.ZodType>(schema: S): S {
  bareOptions.add(schema, { bare: true });
  return schema;
}

/** The grammar of an option, through `.optional()`, `.default()` and the like; undefined for a foreign zod type. */
export function grammarOf(schema: z.core.$ZodType): Grammar<unknown> | undefined {
  return layersOf(schema)
    .map((layer) => grammars.get(layer)?.grammar)
    .find((found) => found !== undefined);
}

/** Whether `bareOption` marked this option. */
export function isBareOption(schema: z.core.$ZodType): boolean {
  return layersOf(schema).some((layer) => bareOptions.get(layer) !== undefined);
}

/** What stands in the reference as the default, as a person would write it; undefined without one. */
export function defaultOf(schema: z.core.$ZodType): unknown {
  const holder = layersOf(schema).find((layer) => layer instanceof z.ZodPrefault || layer instanceof z.ZodDefault);
  return holder?.def.defaultValue;
}

// --- utils ---

/** The type and what it wraps, from the outside in. */
function layersOf(schema: z.core.$ZodType): readonly z.core.$ZodType[] {
  const isWrapper =
    schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault;
  return isWrapper ? [schema, ...layersOf(schema.def.innerType)] : [schema];
}
