import type { Config } from '../config/load.ts';
import type { Problem } from '../config/problems.ts';
import { serviceSettings } from '../config/service-settings.ts';
import { discover, neighbours, rediscover } from '../docker/discovery.ts';
import { settled } from '../docker/lifecycle.ts';
import { createQuiescer, type Quiescer } from '../docker/quiesce.ts';
import { createShell } from '../docker/shell.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Journal } from '../domain/journal.ts';
import { newId } from '../domain/naming.ts';
import type { Redactor } from '../domain/redact.ts';
import type { Emit } from '../domain/run-event.ts';
import { engines } from '../engines/index.ts';
import type { Destination, RunContext } from '../runs/context.ts';
import { createGuessChecker } from '../runs/guesses.ts';
import { resolveSources } from '../runs/source.ts';
import { version } from '../version.ts';
import { toContainerConfig } from './container-config.ts';
import { learningShell, learnSecrets } from './container-secrets.ts';
import type { EngineLink } from './engine-link.ts';

export interface ContextParts {
  readonly config: Config;
  /** Learns the secrets of containers as they become known. */
  readonly redactor: Redactor;
  /** Connects when first called. */
  engine(): Promise<EngineLink>;
  /** Opens when first called. */
  destinations(): Promise<readonly Destination[]>;
  readonly journal: Journal;
  readonly emit: Emit;
  /** Hears of everything that is wrong with the configuration of services, each time it is read. */
  tell(problems: readonly Problem[]): void;
}

/** The world as the runs see it. */
export function createRunContext({
  config,
  redactor,
  engine,
  destinations,
  journal,
  emit,
  tell,
}: ContextParts): RunContext {
  const { settings } = config;
  let world: (EngineLink & { readonly quiescer: Quiescer }) | undefined;
  const connected = async () => {
    const link = await engine();
    world ??= { ...link, quiescer: createQuiescer(link.api, journal) };
    return world;
  };
  const containers = async (signal: AbortSignal) => {
    const { api, scope, self } = await connected();
    const found = await discover(api, scope, self?.id, signal);
    for (const container of found) learnSecrets(container.env, container, redactor);
    return found;
  };
  const candidates = async (signal: AbortSignal) => {
    const found = await containers(signal);
    const problems: Problem[] = [];
    const resolved = resolveSources(found, engines, {
      stackOf: (container) => (settings.discovery === 'project' && settings.name) || container.stack || 'host',
      configure: (container) => {
        const choice = serviceSettings(container, config);
        problems.push(...choice.problems);
        return toContainerConfig(choice);
      },
    });
    tell(problems);
    return resolved;
  };
  const guesses = createGuessChecker(async ({ engine: kind, container, settings: { stopGraceMs, options } }) => {
    const { api, owner, quiescer } = await connected();
    const shell = createShell(api, { ...owner, run: newId(new Date()) }, quiescer, container, stopGraceMs);
    return kind.survey(shell, options, AbortSignal.timeout(60_000));
  });
  return {
    version,
    containers,
    neighbours: async (signal) => {
      const { api, self } = await connected();
      return neighbours(api, self?.id, signal);
    },
    candidates,
    sources: async (signal, look) => guesses.check(await candidates(signal), new Date(), look),
    refresh: async (container, signal) => {
      const { api, quiescer } = await connected();
      return quiescer.whileFree(container, () => rediscover(api, container), signal);
    },
    shell: (container, run, stopGraceMs) => {
      // Whoever has a container has been connected.
      if (!world) throw new LifeboatError('INTERNAL', 'a shell was asked for before the Engine was connected');
      const shell = createShell(world.api, { ...world.owner, run }, world.quiescer, container, stopGraceMs);
      return learningShell(shell, redactor);
    },
    hasImage: async (imageId, signal) => (await (await connected()).api.image(imageId, signal)) !== undefined,
    engine: (name) => engines.find((each) => each.name === name),
    lifecycle: {
      stop: async (container, graceMs, signal) => (await connected()).quiescer.stop(container, graceMs, signal),
      settled: async (container, signal) => settled((await connected()).api, container, signal),
    },
    destinations,
    journal,
    emit,
    now: () => new Date(),
  };
}
