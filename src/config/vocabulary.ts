import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { grammarOf, isBareOption, option } from '../domain/option.ts';
import { factsOf, type Kind } from './key.ts';
import { DestinationKeys, ServiceKeys, StackKeys } from './schema.ts';
import { engineSwitch } from './value.ts';

/** What the configuration needs to know of an engine: its name and its options, a zod object of text-reading options. */
export interface EngineOptions {
  readonly name: string;
  readonly options: z.ZodType;
}

/** Names under which an engine may be written besides its own. */
const engineAliases: Readonly<Record<string, readonly string[]>> = { mysql: ['mariadb'] };

/** At which level a key is written; defaults for services are of the level `service`. */
export type Level = 'stack' | 'service' | 'destination';

/** One key that may be written. */
export interface KeyEntry {
  readonly key: string;
  readonly schema: z.core.$ZodType;
  readonly kind: Kind;
  readonly level: Level;
  /** Present for an engine's switch and options. */
  readonly engine?: string;
  /** The name of the option in the engine's own object; absent for its switch. */
  readonly option?: string;
}

/** Every key that may be written, by level, with the engines' own among those of a service. */
export interface Vocabulary {
  readonly stack: ReadonlyMap<string, KeyEntry>;
  readonly service: ReadonlyMap<string, KeyEntry>;
  readonly destination: ReadonlyMap<string, KeyEntry>;
  readonly engines: ReadonlyMap<string, EngineWords>;
  /** Other ways to write a key of a service (`codec.name`, `mariadb.user`) and the key they mean. */
  readonly aliases: ReadonlyMap<string, string>;
}

/** How one engine is written about. */
export interface EngineWords {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly options: z.ZodObject;
  /** The option that the bare key sets: `lifeboat.sqlite: /data/app.db`. */
  readonly bare: KeyEntry | undefined;
}

/** Throws INTERNAL when an engine's options are not a zod object of options that read text. */
export function createVocabulary(engines: readonly EngineOptions[]): Vocabulary {
  const service = entriesOf(ServiceKeys, 'service');
  const aliases = new Map<string, string>();
  for (const [key, { schema }] of service) {
    const { member } = factsOf(schema);
    if (member !== undefined) aliases.set(`${key}.${member}`, key);
  }
  const words = engines.map((engine) => engineWords(engine, service, aliases));
  return {
    stack: entriesOf(StackKeys, 'stack'),
    service,
    destination: entriesOf(DestinationKeys, 'destination'),
    engines: new Map(words.map((engine) => [engine.name, engine])),
    aliases,
  };
}

/** The entry a person means by this key at the level of a service. */
export function serviceEntry(vocabulary: Vocabulary, key: string): KeyEntry | undefined {
  return vocabulary.service.get(vocabulary.aliases.get(key) ?? key);
}

// --- utils ---

function entriesOf(keys: z.ZodObject, level: Level): Map<string, KeyEntry> {
  return new Map(
    Object.entries(keys.shape).map(([key, schema]) => [key, { key, schema, level, kind: factsOf(schema).kind }]),
  );
}

/** Adds the keys of one engine to those of a service. */
function engineWords(engine: EngineOptions, service: Map<string, KeyEntry>, aliases: Map<string, string>): EngineWords {
  const { name, options } = engine;
  if (!(options instanceof z.ZodObject)) {
    throw new LifeboatError('INTERNAL', `the options of engine ${name} are not a zod object`);
  }
  if (service.has(name)) throw new LifeboatError('INTERNAL', `engine ${name} has the name of a key`);
  const shared = { level: 'service', kind: 'data', engine: name } as const;
  const switchSchema = option(engineSwitch, z.union([z.literal('auto'), z.boolean()]));
  service.set(name, { ...shared, key: name, schema: switchSchema });
  const entries = Object.entries(options.shape).map(([each, schema]): KeyEntry => {
    if (!grammarOf(schema)) throw new LifeboatError('INTERNAL', `option ${each} of engine ${name} reads no text`);
    return { ...shared, key: `${name}.${each}`, schema, option: each };
  });
  for (const entry of entries) service.set(entry.key, entry);
  const others = Object.hasOwn(engineAliases, name) ? (engineAliases[name] ?? []) : [];
  for (const other of others) {
    for (const entry of entries) aliases.set(`${other}${entry.key.slice(name.length)}`, entry.key);
  }
  for (const each of [name, ...others]) if (!service.has(`${each}.enable`)) aliases.set(`${each}.enable`, name);
  for (const other of others) aliases.set(other, name);
  return { name, aliases: others, options, bare: entries.find((entry) => isBareOption(entry.schema)) };
}
