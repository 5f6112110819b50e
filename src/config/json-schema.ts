import { z } from 'zod';
import { defaultOf } from '../domain/option.ts';
import { readerOf } from './key.ts';
import { type Tree, treeOf } from './tree.ts';
import type { KeyEntry, Vocabulary } from './vocabulary.ts';

/** The JSON Schema of the configuration file, for editors (`config schema`). */
export function configJsonSchema(vocabulary: Vocabulary): Record<string, unknown> {
  const service = objectOf(treeOf(serviceTypes(vocabulary)));
  const root = objectOf(treeOf(sidecarTypes(vocabulary.stack))).extend({
    dest: z
      .record(z.string(), objectOf(treeOf(sidecarTypes(vocabulary.destination))))
      .optional()
      .describe('Destinations by name.'),
    defaults: service.optional().describe('What holds for every service that says nothing else.'),
    services: z
      .record(
        z.string(),
        service.extend({ source: z.record(z.string(), service).optional().describe('Extra sources by name.') }),
      )
      .optional()
      .describe('What holds for one service, by its name in the Compose file; beats its labels.'),
  });
  return {
    ...z.toJSONSchema(root, { io: 'input' }),
    title: 'Lifeboat configuration',
    patternProperties: { '^x-': {} },
  };
}

// --- utils ---

type Typed = readonly [key: string, type: z.ZodType];

/** A secret may also be named by file. */
function sidecarTypes(entries: ReadonlyMap<string, KeyEntry>): readonly Typed[] {
  return [...entries].flatMap(([key, entry]): readonly Typed[] => {
    const type = typeOf(entry);
    return entry.kind === 'secret'
      ? [
          [key, type],
          [`${key}-file`, type],
        ]
      : [[key, type]];
  });
}

/** With the other ways to write a key: `codec: {name: …}`, `mariadb: {user: …}`, `sqlite: [a, b]`. */
function serviceTypes({ service, aliases, engines }: Vocabulary): readonly Typed[] {
  const type = (entry: KeyEntry): z.ZodType => {
    const bare = entry.option === undefined ? engines.get(entry.engine ?? '')?.bare : undefined;
    return bare ? z.union([typeOf(entry), typeOf(bare)]).meta(wordsOf(bare)) : typeOf(entry);
  };
  const others = [...aliases].flatMap(([alias, key]) => {
    const entry = service.get(key);
    return entry ? [[alias, type(entry)] as const] : [];
  });
  return [...[...service].map(([key, entry]) => [key, type(entry)] as const), ...others];
}

function objectOf({ below }: Tree<z.ZodType>): z.ZodObject {
  return z.strictObject(Object.fromEntries([...below].map(([name, branch]) => [name, memberOf(branch).optional()])));
}

/** A value, a group, or both: `codec: zstd` and `codec: {name: zstd, level: 3}`. */
function memberOf(branch: Tree<z.ZodType>): z.ZodType {
  const { leaf, below } = branch;
  if (!leaf || below.size === 0) return leaf ?? objectOf(branch);
  return z.union([leaf, objectOf(branch)]).meta(leaf.meta() ?? {});
}

/** What YAML may hold where the grammar reads a text. */
function typeOf(entry: KeyEntry): z.ZodType {
  const { name, examples, words } = readerOf(entry.schema);
  const facts = { ...wordsOf(entry), ...(entry.kind === 'secret' ? {} : { examples: [...examples] }) };
  const scalar = z.union([z.string(), z.number()]);
  if (name === 'list' || name.startsWith('list of')) return z.union([z.string(), z.array(scalar)]).meta(facts);
  if (name === 'bool' || name === 'switch') return z.union([z.boolean(), z.string()]).meta(facts);
  if (name === 'integer' || name === 'number') return z.union([z.number(), z.string()]).meta(facts);
  return (words ? z.enum(words) : z.string()).meta(facts);
}

function wordsOf({ schema }: KeyEntry): { description?: string; default?: unknown } {
  const standard = defaultOf(schema);
  const description = schema instanceof z.ZodType ? schema.description : undefined;
  return {
    ...(description === undefined ? {} : { description }),
    ...(standard === undefined ? {} : { default: standard }),
  };
}
