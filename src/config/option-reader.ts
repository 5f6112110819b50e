import { z } from 'zod';
import { bool, type Grammar, grammar, integer, list, oneOf, text } from '../domain/grammar.ts';
import { grammarOf } from '../domain/option.ts';

/**
 * How the text of a label becomes what an option's zod type takes. An option made by `domain/option.ts` reads text
 * itself; a plain zod type (array, boolean, number, enum) gets the grammar that fits it, so that an engine may be written
 * without knowing ours.
 */
export function readerOf(schema: z.core.$ZodType): Grammar<unknown> {
  return grammarOf(schema) ?? plainGrammar(innermost(schema));
}

/** The value that the option's zod type is given for this text. Throws CONFIG_INVALID. */
export function readOption(schema: z.core.$ZodType, written: string): unknown {
  return grammarOf(schema) ? written : readerOf(schema).parse(written);
}

// --- utils ---

const number: Grammar<number> = grammar(
  { name: 'number', allowed: 'a number', examples: ['1.5', '20'] },
  (found, reject) => (/^-?\d{1,15}(\.\d{1,15})?$/.test(found) ? Number(found) : reject()),
);

function plainGrammar(schema: z.core.$ZodType): Grammar<unknown> {
  if (schema instanceof z.ZodArray) return list(itemGrammar(innermost(schema.def.element)));
  if (schema instanceof z.ZodBoolean) return bool;
  if (schema instanceof z.ZodNumber)
    return schema.isInt ? integer(bound(schema.minValue, 0), bound(schema.maxValue, Number.MAX_SAFE_INTEGER)) : number;
  return itemGrammar(schema);
}

function itemGrammar(schema: z.core.$ZodType): Grammar<string> {
  if (!(schema instanceof z.ZodEnum)) return text;
  const [first, ...words] = schema.options.map(String);
  return first === undefined ? text : oneOf([first, ...words]);
}

/** Zod says ±(2^53-1) or infinity for "no bound". */
function bound(value: number | null, none: number): number {
  return value === null || !Number.isFinite(value) || Math.abs(value) === Number.MAX_SAFE_INTEGER ? none : value;
}

/** The type below `.optional()`, `.default()`, `.transform()` and the like. */
function innermost(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return innermost(schema.def.innerType);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) return innermost(schema.def.innerType);
  if (schema instanceof z.ZodReadonly || schema instanceof z.ZodCatch) return innermost(schema.def.innerType);
  return schema instanceof z.ZodPipe ? innermost(schema.def.in) : schema;
}
