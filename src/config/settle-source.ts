import { LifeboatError } from '../domain/errors.ts';
import { type ParsedOptions, parseOptions } from './engine-options.ts';
import type { Layer, Scope } from './layer.ts';
import type { Config } from './load.ts';
import { byDefault, type Origin } from './origin.ts';
import type { Problem } from './problems.ts';
import { referenceChecks, withFittingLevel } from './references.ts';
import { ServiceKeys } from './schema.ts';
import { type ServiceSettings, toServiceSettings } from './settings.ts';
import { type Rows, settle, typed } from './settle.ts';

/** One service or extra source, decided but not yet judged. */
export interface SettledSource {
  readonly rows: Rows;
  readonly settings: ServiceSettings;
  readonly parse: (engine: string) => ParsedOptions;
  /** Engines of which something was written here. */
  readonly mentioned: readonly string[];
  readonly origin: Origin;
  readonly problems: readonly Problem[];
}

/** Decides the keys of a service or an extra source: the first layer that has a key wins, else the parent. */
export function settleSource(
  given: readonly (Layer | undefined)[],
  parent: Rows,
  config: Config,
  scope: Scope,
): SettledSource {
  const { vocabulary, names } = config;
  const layers = given.filter((layer) => layer !== undefined);
  const settled = settle(vocabulary.service.values(), layers, parent, scope, referenceChecks(names));
  const { rows, problems } = withFittingLevel(settled.rows, parent, vocabulary, scope);
  const written = new Set(
    layers.flatMap((layer) => [...layer.keys()]).map((key) => vocabulary.service.get(key)?.engine),
  );
  const mentioned = [...vocabulary.engines.keys()].filter((engine) => written.has(engine));
  const parse = (engine: string): ParsedOptions => {
    const words = vocabulary.engines.get(engine);
    if (!words) throw new LifeboatError('INTERNAL', `engine ${engine} is not registered with the configuration`);
    return parseOptions(words, vocabulary, rows, written.has(engine), scope);
  };
  return {
    rows,
    settings: toServiceSettings(typed(ServiceKeys, rows), names),
    parse,
    mentioned,
    origin: layers.flatMap((layer) => [...layer.values()])[0]?.origin ?? byDefault,
    problems: [...settled.problems, ...problems, ...mentioned.flatMap((engine) => parse(engine).problems)],
  };
}
