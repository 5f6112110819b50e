import { hostname } from 'node:os';
import { type Config, loadConfig } from '../config/load.ts';
import { type Problem, startRefusal } from '../config/problems.ts';
import { reapHelpers } from '../docker/helper.ts';
import { reapPipes } from '../docker/pipe-folder.ts';
import { goOn, startAgain } from '../docker/quiesce.ts';
import type { LifeboatError } from '../domain/errors.ts';
import { createRedactor, type Redactor } from '../domain/redact.ts';
import { engines } from '../engines/index.ts';
import { once, type RunContext } from '../runs/context.ts';
import { createRunControl, type RunControl } from '../runs/control/control.ts';
import { createEventBus, type EventBus } from '../runs/history/event-bus.ts';
import { type DiskJournal, openJournal } from '../runs/journal/journal.ts';
import { type Repaired, repair } from '../runs/journal/repair.ts';
import { recoverRestore } from '../runs/restore/recover.ts';
import type { Resolved } from '../runs/source.ts';
import { createDestinations, type LazyDestination } from './destinations.ts';
import { type EngineLink, internalVariables, linkEngine } from './engine-link.ts';
import { createRunContext } from './run-context.ts';

/** Configuration as it was read, and what knows its secrets. */
export interface Read {
  readonly config: Config;
  readonly redactor: Redactor;
}

/** Reads the configuration of the environment. Nothing is refused yet. */
export function readConfig(environment: NodeJS.ProcessEnv): Read {
  const redactor = createRedactor();
  return { config: loadConfig({ environment, engines, redactor, internalVariables }), redactor };
}

/** Throws when this configuration must not be started with; else the process takes on its time zone. */
export function acceptConfig(config: Config): void {
  const refusal = refusalOf(config);
  if (refusal) throw refusal;
  process.env.TZ = config.settings.timezone;
}

/** Why this configuration must not be started with. */
export function refusalOf({ settings, problems }: Config): LifeboatError | undefined {
  return startRefusal(problems, settings.isStrict);
}

/** Everything that a daemon and a command that runs in place have in common, wired together. */
export interface World {
  /** Connects when first called, and again as long as that failed. */
  engine(): Promise<EngineLink>;
  readonly journal: DiskJournal;
  readonly bus: EventBus;
  readonly control: RunControl;
  /** Takes secrets out of a text. */
  clean(text: string): string;
  readonly destinations: readonly LazyDestination[];
  readonly context: RunContext;
  /** The sources as they were last looked up; undefined before the first time. */
  resolved(): Resolved | undefined;
  /** The name of the stack. */
  stack(): Promise<string>;
  /** The name of the host; inside a container ours would be its id. */
  host(): string;
  /** Puts back what an earlier process left: helpers of ours, stopped and paused containers. */
  putBack(): Promise<Repaired>;
  /** Puts back what was left open of a journal, or of a part of it. */
  repair(journal: Pick<DiskJournal, 'leftOpen'>): Promise<Repaired>;
}

export interface WorldOptions extends Read {
  /** Hears of everything that is wrong with the configuration of services, each time it is read. */
  tell(problems: readonly Problem[]): void;
  /** Hears of a reader of the events that failed, and of what a person should know of a destination. */
  complain(message: string, error?: unknown): void;
}

/** Nothing is connected, opened or locked before it is needed. */
export function createWorld({ config, redactor, tell, complain }: WorldOptions): World {
  const { settings } = config;
  let link: EngineLink | undefined;
  const engine = once(async () => {
    link = await linkEngine(settings, process.env);
    return link;
  });
  const journal = openJournal(`${settings.dataDir}/journal`, () => new Date());
  const destinations = createDestinations({
    settings,
    owner: () => `${link?.owner.id ?? settings.name ?? 'a sidecar'} on ${link?.host ?? hostname()}`,
    tell: (message) => complain(message),
  });
  const clean = (text: string) => redactor.redact(text);
  const bus = createEventBus({
    clean,
    complain: (reader, error) => complain(`an event could not be read by the ${reader}`, error),
  });
  let resolved: Resolved | undefined;
  const base = createRunContext({
    config,
    redactor,
    engine,
    destinations: async () => destinations,
    journal,
    emit: bus.emit,
    tell,
  });
  const context: RunContext = {
    ...base,
    sources: async (signal, look) => {
      resolved = await base.sources(signal, look);
      return resolved;
    },
  };
  const repairThese = async (these: Pick<DiskJournal, 'leftOpen'>) => {
    const { api } = await engine();
    return repair(these, {
      startAgain: (role) => startAgain(api, role),
      goOn: (role) => goOn(api, role),
      recover: (intent) => recoverRestore(base, intent),
    });
  };
  return {
    resolved: () => resolved,
    engine,
    journal,
    bus,
    clean,
    control: createRunControl(settings.concurrency),
    destinations,
    context,
    stack: async () => settings.name ?? (await engine()).projects[0] ?? 'host',
    host: () => link?.host ?? hostname(),
    putBack: async () => {
      const { api, owner } = await engine();
      await reapHelpers(api, owner.id);
      if (owner.pipes) await reapPipes(owner.pipes);
      return repairThese(journal);
    },
    repair: repairThese,
  };
}

/** Tells each problem once, however often the configuration of a service is read. */
export function tellOnce(say: (problem: Problem) => void): (problems: readonly Problem[]) => void {
  const told = new Set<string>();
  return (problems) => {
    for (const problem of problems) {
      const key = JSON.stringify([problem.message, problem.hint]);
      if (told.has(key)) continue;
      told.add(key);
      say(problem);
    }
  };
}
