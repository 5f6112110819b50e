import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import type { Command, Shell } from '../../domain/shell.ts';
import type { Container } from '../../domain/types.ts';
import type { Engine } from '../../engines/engine.ts';
import type { RunContext } from '../context.ts';
import type { Source } from '../source.ts';

/** What proves the structure of a backup that was made some time ago. */
export interface Prover {
  readonly engine: Engine;
  readonly options: unknown;
  readonly shell: Shell;
  /** The image that the dump came from is gone, and today's is asked: it may not know what the other wrote. */
  readonly isOtherImage: boolean;
}

const patienceMs = 10_000;

/** The sources that there are now, or why they are not known: an Engine that does not answer. */
export type Present = { readonly sources: readonly Source[] } | { readonly why: string };

export async function presentSources(context: RunContext, signal: AbortSignal): Promise<Present> {
  try {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]);
    return { sources: (await context.candidates(patience)).sources };
  } catch (error) {
    signal.throwIfAborted();
    return { why: asLifeboatError(error).message };
  }
}

/**
 * The prover that the backup was made with: the same engine, and helpers of the same image. The container may be gone or
 * stopped; its image decides. Rejects with why there is none.
 */
export async function openProver(
  context: RunContext,
  manifest: Manifest,
  present: Present,
  run: string,
  signal: AbortSignal,
): Promise<Prover> {
  if ('why' in present) throw new LifeboatError('DOCKER_UNAVAILABLE', present.why);
  const engine = context.engine(manifest.engine);
  if (!engine) throw new LifeboatError('TOOL_MISSING', `this Lifeboat has no engine ${manifest.engine}`);
  const live = present.sources.find(
    (source) =>
      source.stack === manifest.stack &&
      source.service === manifest.service &&
      source.source === manifest.source &&
      source.engine.name === engine.name,
  );
  const { imageId } = manifest.container;
  const isOtherImage =
    live !== undefined && live.container.imageId !== imageId && !(await context.hasImage(imageId, signal));
  const base = live?.container ?? formerContainer(manifest);
  const container = isOtherImage ? base : { ...base, imageId };
  const shell = context.shell(container, run, live?.settings.stopGraceMs ?? 0);
  return { engine, options: live?.settings.options ?? manifest.options, shell: besideContainer(shell), isOtherImage };
}

// --- utils ---

/** Programs that need the image only run in a helper of it: nothing is asked of the container, which may be gone. */
function besideContainer(shell: Shell): Shell {
  const run: Shell['run'] = (command, ...rest) => shell.run(inHelper(command), ...rest);
  return Object.assign(Object.create(shell) as Shell, { run });
}

function inHelper(command: Command): Command {
  const isInContainer = (command.place?.kind ?? 'container') === 'container';
  return command.needsImageOnly && isInContainer ? { ...command, place: { kind: 'helper', network: 'none' } } : command;
}

/** What the manifest knows of a container that is gone. */
function formerContainer({ stack, service, container }: Manifest): Container {
  return {
    ...container,
    stack,
    service,
    env: {},
    labels: {},
    command: [],
    user: '',
    state: 'dead',
    health: undefined,
    startedAt: '',
    restartCount: 0,
    oomKilled: false,
    mounts: [],
    imageVolumes: [],
    dependsOn: [],
    networkMode: '',
    usernsMode: '',
  };
}
