import { quoted } from '../domain/grammar.ts';
import { nearest } from '../domain/nearest.ts';
import type { Container } from '../domain/types.ts';
import type { EngineChoice } from './engine-options.ts';
import { bakedLabels, readLabels } from './labels.ts';
import type { Config } from './load.ts';
import { byDefault } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import type { ServiceSettings } from './settings.ts';
import type { Rows } from './settle.ts';
import { type SettledSource, settleSource } from './settle-source.ts';

/** What holds for one service, or for one extra source of it. */
export interface SourceChoice {
  readonly settings: ServiceSettings;
  /** The text that holds for each key and where it was written; keys at their default are missing. */
  readonly rows: Rows;
  /** The engine's parsed options and whether it is on. Throws INTERNAL for an engine that nobody registered. */
  engineOptions(name: string): EngineChoice;
}

/** What holds for one service, its extra sources, and everything that is wrong with it. */
export interface ServiceChoice extends SourceChoice {
  readonly service: string;
  readonly extras: readonly ExtraSource[];
  /** Everything that is wrong with what was written about this service. */
  readonly problems: readonly Problem[];
}

/** A source that a person named: `lifeboat.source.invoices.command`. */
export interface ExtraSource extends SourceChoice {
  readonly name: string;
  /** Undefined when it is not clear which engine is meant; then a problem says so. */
  readonly engineName: string | undefined;
}

/**
 * What holds for a service: its own level (the file beats the label) over the defaults of the sidecar. Labels speak for
 * their own container only. Never throws for what a person wrote.
 */
export function serviceSettings(
  container: Pick<Container, 'service' | 'labels' | 'imageLabels'>,
  config: Config,
): ServiceChoice {
  const { service } = container;
  const { vocabulary } = config;
  const file = config.services.get(service);
  const labels = readLabels(container.labels, service, vocabulary, config.settings.labelPrefix);
  const own = settleSource([file?.own, labels.own], config.rows.defaults, config, { service });
  const names = new Set([...(file?.sources.keys() ?? []), ...labels.sources.keys()]);
  const extras = [...names].sort().map((name) => {
    const layers = [file?.sources.get(name), labels.sources.get(name)];
    return { name, ...settleSource(layers, inheritedBy(own.rows, config), config, { service, source: name }) };
  });
  const unclear = extras.flatMap((extra) => unclearEngine(service, extra));
  const problems = [
    ...labels.problems,
    ...bakedLabels(container.imageLabels ?? {}, service, config.settings.labelPrefix),
    ...(file?.problems ?? []),
    ...[own, ...extras].flatMap((each) => each.problems),
    ...unclear,
  ];
  return {
    service,
    ...choiceOf(own, problems),
    extras: extras.map((extra) => {
      const engineName = extra.mentioned.length === 1 ? extra.mentioned[0] : undefined;
      return { name: extra.name, engineName, ...choiceOf(extra, problems, extra.name) };
    }),
    problems,
  };
}

/** Services that the configuration file speaks of and that do not exist. */
export function strangers(config: Config, services: readonly string[]): readonly Problem[] {
  return [...config.services].flatMap(([name, layers]) => {
    if (services.includes(name)) return [];
    const guess = nearest(name, services);
    const origin = [...layers.own.values(), ...[...layers.sources.values()].flatMap((layer) => [...layer.values()])][0]
      ?.origin;
    const message = `there is no service ${quoted(name)}${guess === undefined ? '' : ` – did you mean ${guess}?`}`;
    return [problem({ severity: 'warning', effect: 'ignored', origin: origin ?? byDefault, message })];
  });
}

// --- utils ---

/** The choice as others see it: `extra` is the name of an extra source, absent for the service itself. */
function choiceOf(
  { rows, settings, parse }: SettledSource,
  problems: readonly Problem[],
  extra?: string,
): SourceChoice {
  const failureOf = (source: string, found: readonly Problem[]) =>
    found.find((each) => each.effect === 'source-disabled' && (each.source === undefined || each.source === source));
  return {
    rows,
    settings,
    engineOptions(engine) {
      const failed = extra === undefined ? undefined : failureOf(extra, problems);
      // It may have failed by not telling which engine it means; then there is no name to ask for.
      if (failed) return { engine, isOn: true, isMentioned: true, options: undefined, failure: failed };
      const { problems: own, options, ...facts } = parse(engine);
      const failure = failureOf(extra ?? engine, [...problems, ...own]);
      return { ...facts, options: failure ? undefined : options, failure };
    },
  };
}

/**
 * What an extra source inherits: the keys of its service, but an engine's only from the defaults of the sidecar, or the
 * service's own dump would quietly become that of the extra source.
 */
function inheritedBy(own: Rows, config: Config): Rows {
  const isOfEngine = (key: string) => config.vocabulary.service.get(key)?.engine !== undefined;
  return new Map([
    ...[...own].filter(([key]) => !isOfEngine(key)),
    ...[...config.rows.defaults].filter(([key]) => isOfEngine(key)),
  ]);
}

function unclearEngine(
  service: string,
  { name, mentioned, origin }: SettledSource & { name: string },
): readonly Problem[] {
  if (mentioned.length === 1) return [];
  return [
    problem({
      service,
      source: name,
      severity: 'error',
      effect: 'source-disabled',
      origin,
      message:
        mentioned.length > 1
          ? `extra source ${name} names several engines: ${mentioned.join(', ')}`
          : `extra source ${name} does not say what to save`,
      hint: `Give it the options of exactly one engine, for example source.${name}.command`,
    }),
  ];
}
