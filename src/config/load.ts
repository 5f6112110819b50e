import type { Redactor } from '../domain/redact.ts';
import { readDestinations } from './destinations.ts';
import { type Disk, localDisk } from './disk.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { readConfigFile } from './file.ts';
import { variableOf } from './key.ts';
import type { Origin } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { type Names, referenceChecks, withFittingLevel } from './references.ts';
import { StackKeys } from './schema.ts';
import type { Surroundings } from './secret-file.ts';
import type { ServiceLayers } from './service-layers.ts';
import { type Settings, toSettings } from './settings.ts';
import { type Rows, settle, typed } from './settle.ts';
import { configVariable } from './variables.ts';
import { createVocabulary, type EngineOptions, type Vocabulary } from './vocabulary.ts';

/** What `loadConfig` reads. */
export interface ConfigSources {
  readonly environment: Environment;
  readonly engines: readonly EngineOptions[];
  /** Learns every secret in the moment it is read; give the same one to whatever prints. */
  readonly redactor: Redactor;
  readonly disk?: Disk;
  /** LIFEBOAT_ variables of our own code that are no configuration. */
  readonly internalVariables?: readonly string[];
  /** False when the environment belongs to somebody else: files it names are not read. */
  readonly readsFiles?: boolean;
}

/** The configuration of the sidecar, read whole: every problem is in it, nothing was thrown. */
export interface Config {
  readonly settings: Settings;
  readonly problems: readonly Problem[];
  /** What `to` and `notify` may name. */
  readonly names: Names;
  readonly vocabulary: Vocabulary;
  /** Where values come from; keys at their default are missing. */
  readonly rows: {
    readonly stack: Rows;
    /** What services inherit. */
    readonly defaults: Rows;
    readonly destinations: ReadonlyMap<string, Rows>;
  };
  /** `services:` of the configuration file. */
  readonly services: ReadonlyMap<string, ServiceLayers>;
}

/**
 * Reads the environment and the configuration file. Never throws for what a person wrote; ask `startRefusal` whether to
 * go on. At the level of the sidecar a variable beats the file.
 */
export function loadConfig(sources: ConfigSources): Config {
  const { environment, engines, redactor, disk = localDisk, readsFiles = true } = sources;
  const vocabulary = createVocabulary(engines);
  const surroundings: Surroundings = { disk, redactor, readsFiles };
  const variables = readEnvironment(environment, vocabulary, surroundings, sources.internalVariables);
  const file = readConfigFile(environment[configVariable], vocabulary, surroundings);

  const stack = settle(vocabulary.stack.values(), [variables.stack, variables.deFacto, file.stack], new Map(), {});
  const destinations = readDestinations(variables, file, vocabulary, readsFiles);
  const settings = toSettings(typed(StackKeys, stack.rows), destinations.usable);
  const channels = settings.channels.map(({ name }) => name);
  const names = { destinations: destinations.names, channels, areComplete: readsFiles };
  const defaults = settle(
    vocabulary.service.values(),
    [variables.service, file.defaults],
    new Map(),
    {},
    referenceChecks(names),
  );
  /** It stands in a file that is not ours to read. */
  const isUnread = (key: string) => !readsFiles && Boolean(environment[`${variableOf(key)}_FILE`]);
  const fitting = withFittingLevel(defaults.rows, new Map(), vocabulary, {});
  return {
    settings,
    problems: [
      ...variables.problems,
      ...file.problems,
      ...stack.problems,
      ...destinations.problems,
      ...defaults.problems,
      ...fitting.problems,
      ...contradictions(settings, stack.rows, isUnread),
    ],
    names,
    vocabulary,
    rows: { stack: stack.rows, defaults: fitting.rows, destinations: destinations.rows },
    services: file.services,
  };
}

// --- utils ---

/** Keys that say nothing without another. */
function contradictions(settings: Settings, rows: Rows, isUnread: (key: string) => boolean): readonly Problem[] {
  const facts = { severity: 'warning', effect: 'ignored' } as const;
  const orphans = [
    { key: 'notify.slack.on', isLost: !rows.has('notify.slack.url'), needs: 'notify.slack.url' },
    { key: 'notify.webhook.on', isLost: !rows.has('notify.webhook.url'), needs: 'notify.webhook.url' },
    { key: 'notify.webhook.secret', isLost: !rows.has('notify.webhook.url'), needs: 'notify.webhook.url' },
    { key: 'projects', isLost: settings.discovery !== 'projects', needs: 'discovery: projects' },
  ].flatMap(({ key, isLost, needs }) => {
    const origin = rows.get(key)?.origin;
    return isLost && origin && !isUnread(needs)
      ? [problem({ ...facts, origin, key, message: `key ${key} is set, but without ${needs} it does nothing` })]
      : [];
  });
  const origin: Origin | undefined = rows.get('discovery')?.origin;
  if (settings.discovery !== 'projects' || settings.projects.length > 0 || isUnread('projects') || !origin)
    return orphans;
  const nobody = 'discovery is "projects", but no projects are named';
  return [...orphans, problem({ severity: 'error', effect: 'cannot-start', origin, key: 'projects', message: nobody })];
}
