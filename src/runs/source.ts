import type { Container, SourceName } from '../domain/types.ts';
import { sourceName } from '../domain/types.ts';
import type { Engine } from '../engines/engine.ts';

/** What the user wants for one source; configuration resolves it from labels, environment and file. */
export interface SourceSettings {
  readonly timeoutMs: number;
  /** How often a scheduled backup that failed for a passing reason is tried again. */
  readonly retries: number;
  readonly stopGraceMs: number;
  readonly counts: 'exact' | 'catalogue' | 'auto';
  readonly path: 'auto' | 'pipe' | 'exec';
  readonly codec: 'zstd' | 'gzip' | 'none';
  readonly codecLevel: number | undefined;
  /** Names of destinations. */
  readonly to: readonly string[];
  readonly schedule: string;
  /** Names of the channels that hear of it. */
  readonly notify: readonly string[];
  /** The engine's own options, parsed. */
  readonly options: unknown;
}

/** One thing to save: a service plus an engine. */
export interface Source {
  readonly name: SourceName;
  readonly stack: string;
  readonly service: string;
  readonly source: string;
  readonly engine: Engine;
  readonly container: Container;
  readonly settings: SourceSettings;
  /** Nobody asked for it on this service, and its engine can only tell by looking whether there is anything. */
  readonly isGuess: boolean;
}

/** Something that is not saved, and why. */
export interface Uncovered {
  readonly stack: string;
  readonly service: string;
  /** A source, a mount, or the whole container. */
  readonly what: string;
  readonly why: string;
  /** Of a mount: where it is in the container. */
  readonly path?: string;
}

/** What configuration says about one possible source of a container. */
export interface Configured {
  /** `auto` leaves it to recognition. */
  readonly isOn: 'auto' | boolean;
  /** Whether anything about it was written on this very service, not only as a default for all. */
  readonly isMentioned: boolean;
  /** Why it must not be backed up; it is then listed with this reason. */
  readonly refusal: string | undefined;
  readonly settings: SourceSettings;
}

/** What configuration says about one container. */
export interface ContainerConfig {
  /** Why the container as a whole is left out. */
  readonly refusal: string | undefined;
  engine(name: string): Configured;
  /** Sources that a person named, each with the engine it uses. */
  readonly extras: readonly {
    readonly name: string;
    readonly engineName: string | undefined;
    readonly configured: Configured;
  }[];
}

export interface Configuration {
  /** The stack's name in destinations. */
  stackOf(container: Container): string;
  configure(container: Container): ContainerConfig;
}

export interface Resolved {
  readonly sources: readonly Source[];
  readonly uncovered: readonly Uncovered[];
}

/** Offers every container to every engine; what nothing takes is listed with its reason. */
export function resolveSources(
  containers: readonly Container[],
  engines: readonly Engine[],
  configuration: Configuration,
): Resolved {
  const sources: Source[] = [];
  const uncovered: Uncovered[] = [];
  for (const container of containers) {
    const config = configuration.configure(container);
    const stack = configuration.stackOf(container);
    if (config.refusal !== undefined) {
      uncovered.push({ stack, service: container.service, what: container.image, why: config.refusal });
      continue;
    }
    const covered: string[] = [];
    const taken: Source[] = [];
    const take = (engine: Engine, name: string, configured: Configured) => {
      if (configured.refusal === undefined) {
        const isGuess = engine.guesses === true && (configured.isOn === 'auto' || !configured.isMentioned);
        taken.push(toSource(stack, container, engine, name, configured.settings, isGuess));
        covered.push(...engine.dataPaths(container));
      } else {
        uncovered.push({ stack, service: container.service, what: name, why: configured.refusal });
      }
    };
    for (const engine of engines) {
      const configured = config.engine(engine.name);
      const isOn = configured.isOn === 'auto' ? engine.recognise(container) : configured.isOn;
      if (isOn) take(engine, engine.name, configured);
      else if (configured.isOn === false && engine.recognise(container)) {
        uncovered.push({ stack, service: container.service, what: engine.name, why: 'switched off by its label' });
      }
    }
    for (const { name, engineName, configured } of config.extras) {
      const engine = engines.find((candidate) => candidate.name === engineName);
      if (engine) take(engine, name, { ...configured, isOn: true });
      else
        uncovered.push({
          stack,
          service: container.service,
          what: name,
          why: configured.refusal ?? 'it names no engine',
        });
    }
    sources.push(...taken.map((source) => beside(source, taken)));
    uncovered.push(...volumesOf(stack, container, covered));
  }
  return { sources, uncovered };
}

/** Replicas of one service are sources of their own: their dumps must never meet in one place. */
function toSource(
  stack: string,
  container: Container,
  engine: Engine,
  name: string,
  settings: SourceSettings,
  isGuess: boolean,
): Source {
  const { service, number } = container;
  const address = { stack, service, source: number === 1 ? name : `${name}-${number}` };
  return { ...address, name: sourceName(address), engine, container, settings, isGuess };
}

/** An engine that could save what others of the container save is told of them. */
function beside(source: Source, taken: readonly Source[]): Source {
  const others = taken
    .filter((other) => other !== source && other.engine.beside === undefined)
    .map(({ name, engine, settings: { options } }) => ({ name, engine, options }));
  return { ...source, engine: source.engine.beside?.(others) ?? source.engine };
}

/** Volumes and bind mounts that no engine replaces. */
function volumesOf(stack: string, container: Container, covered: readonly string[]): Uncovered[] {
  const isCovered = (target: string) =>
    covered.some((path) => target === path || target.startsWith(`${path}/`) || path.startsWith(`${target}/`));
  return container.mounts
    .filter(({ type, target }) => (type === 'volume' || type === 'bind') && !isCovered(target) && !isPlumbing(target))
    .map((mount) => ({
      stack,
      service: container.service,
      what: `${mount.type === 'volume' ? `volume ${mount.name ?? ''}` : `folder ${mount.source ?? ''}`} at ${mount.target}`,
      why: `${mount.readOnly ? 'the service only reads it; ' : ''}plain files are not saved unless asked for: label the service with lifeboat.files: all`,
      path: mount.target,
    }));
}

function isPlumbing(target: string): boolean {
  return target.endsWith('docker.sock') || target.startsWith('/run/secrets/') || target.startsWith('/etc/');
}
