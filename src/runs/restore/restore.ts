import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { shortId } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { Restored, RestorePreview, RestoreSource, RestoreTarget } from '../../engines/engine.ts';
import type { Store } from '../../stores/store.ts';
import { backupSource } from '../backup/backup.ts';
import type { Destination, RunContext } from '../context.ts';
import { failureOf, type RunLog } from '../history/run-log.ts';
import type { Source } from '../source.ts';
import { firstWhole } from './copies.ts';
import { type Unpacked, unpacked } from './on-disk.ts';
import { recoverRestore } from './recover.ts';
import { sharersOf, stopsFor } from './sharers.ts';
import { stopServices } from './stopped.ts';

export interface RestoreRequest {
  readonly source: Source;
  readonly manifest: Manifest;
  /** Where it lies; all but the first are for the case that one is damaged. */
  readonly copies: readonly Destination[];
  readonly as?: string | undefined;
  readonly only?: readonly string[] | undefined;
  readonly skipSafety: boolean;
  readonly run: string;
}

/** What a person confirms before anything is touched. */
export interface RestorePlan {
  readonly request: RestoreRequest;
  readonly preview: RestorePreview;
  /** Services that are stopped, in this order, and started again in the reverse. */
  readonly stops: readonly Container[];
  readonly takesSafety: boolean;
}

export interface RestoreOutcome {
  readonly restored: Restored;
  /** The backup taken right before, when one was. */
  readonly safety: string | undefined;
  readonly restarted: readonly string[];
}

/** Works out what a restore would do. Touches nothing. */
export async function planRestore(
  context: RunContext,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const { source, manifest } = request;
  const shell = context.shell(source.container, request.run, source.settings.stopGraceMs);
  const preview = await source.engine.preview(shell, manifest, targetOf(request), source.settings.options, signal);
  if (request.as !== undefined) return { request, preview, stops: [], takesSafety: false };
  const { container } = source;
  const stack = (await context.containers(signal)).filter((other) => other.stack === container.stack);
  const { replaces = [] } = preview;
  const sharers = replaces.length === 0 ? [] : sharersOf(container, replaces, await context.neighbours(signal));
  const isOurs = ({ id }: Container) => stack.some((other) => other.id === id);
  const foreign = sharers.filter((sharer) => !isOurs(sharer)).map((sharer) => foreignRefusal(sharer, replaces));
  return {
    request,
    preview: { ...preview, refusals: [...preview.refusals, ...foreign] },
    stops: stopsFor(container, sharers.filter(isOurs), stack),
    takesSafety: !request.skipSafety,
  };
}

/** What belongs to somebody else is not stopped unasked. */
function foreignRefusal({ name, state }: Container, replaces: readonly string[]): string {
  const first = state === 'paused' ? `docker unpause ${name} && docker stop ${name}` : `docker stop ${name}`;
  return `container ${name} is not of this stack, mounts ${replaces.join(', ')} as well and would go on with the old data: ${first}, restore, docker start ${name}`;
}

/**
 * The story of one restore: prove the whole backup → safety backup → stop what depends on it → stage, check, switch →
 * start again. Whatever goes wrong, what was stopped is started; live data is touched only after everything was proved.
 */
export async function runRestore(
  context: RunContext,
  plan: RestorePlan,
  log: RunLog,
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { request, preview } = plan;
  const { source, manifest } = request;
  if (preview.refusals.length > 0) {
    throw new LifeboatError('RESTORE_REFUSED', preview.refusals.join('; '), { hint: 'nothing was touched' });
  }
  const backup = shortId(manifest.id);
  await using held = new AsyncDisposableStack();
  const from = await log.step(source.name, 'prove', `backup ${backup}`, () =>
    firstWhole(
      backup,
      request.copies,
      async ({ store }) => held.use(await proveBackup(context, request, store, signal)),
      (warning) => log.warn(source.name, warning),
      signal,
    ),
  );
  const safety = plan.takesSafety ? await takeSafety(context, plan, log, signal) : undefined;

  await using stopped = await stopServices(context.lifecycle, plan.stops, source, log);
  const restored = await restoreData(context, plan, from, log, signal);
  for (const warning of restored.warnings) log.warn(source.name, warning);
  const names = plan.stops.map(({ service }) => service).join(', ');
  const restarted = names === '' ? [] : await log.step(source.name, 'start', names, () => stopped.startAgain(signal));
  return { restored, safety, restarted };
}

/**
 * Every artifact is read to its end through digests, decoders and the engine's prover, before anything is touched. What is
 * loaded from a file later is decoded into one now, and proved there.
 */
async function proveBackup(
  context: RunContext,
  request: RestoreRequest,
  store: Store,
  signal: AbortSignal,
): Promise<Unpacked> {
  const { source, manifest } = request;
  const shell = context.shell(source.container, request.run, source.settings.stopGraceMs);
  await using held = new AsyncDisposableStack();
  const backup = held.use(unpacked(store, manifest, shell));
  for (const artifact of manifest.artifacts) {
    const prove = async () => {
      const plain = await backup.open(artifact, signal);
      await source.engine.prove(shell, { ...artifact, extension: '' }, plain, source.settings.options, signal);
    };
    const isOnDisk = wantsFile(request, artifact) && (await backup.unpack(artifact, signal));
    if (!isOnDisk) await prove();
    else {
      // A helper that cannot be made, or cannot read the file, says nothing about the backup: the old way decides.
      await prove().catch(async () => {
        signal.throwIfAborted();
        await backup.drop(artifact);
        await prove();
      });
    }
  }
  held.move();
  return backup;
}

/** Below this, a file and a helper cost more than they save. */
const fileFromBytes = 64 * 1024 ** 2;

function wantsFile({ source, only }: RestoreRequest, artifact: Artifact): boolean {
  const { engine, settings } = source;
  if (!engine.loadsFromFile?.({ ...artifact, extension: '' }) || settings.path === 'exec') return false;
  if (only && !only.includes(artifact.name)) return false;
  return settings.path === 'pipe' || artifact.plainBytes >= fileFromBytes;
}

/** What is replaced is saved, also what the labels of today leave out. */
async function takeSafety(
  context: RunContext,
  { request, preview }: RestorePlan,
  log: RunLog,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { settings } = request.source;
  const source = { ...request.source, settings: { ...settings, options: preview.saving ?? settings.options } };
  log.entering(source.name, 'safety', 'of what is there now');
  const result = await backupSource(context, source, { set: request.run, trigger: 'safety' }, log, signal);
  if (result.backup) return result.backup;
  if (result.error?.code === 'SOURCE_NOT_FOUND') {
    log.warn(request.source.name, `no safety backup: ${result.error.message}`);
    return undefined;
  }
  throw new LifeboatError(
    'RESTORE_REFUSED',
    `the safety backup failed: ${result.error?.message ?? 'no reason given'}`,
    {
      hint: 'nothing was touched; repair the cause, or restore with --no-safety-backup',
    },
  );
}

async function restoreData(
  context: RunContext,
  { request, stops }: RestorePlan,
  from: RestoreSource,
  log: RunLog,
  signal: AbortSignal,
): Promise<Restored> {
  const { source, manifest } = request;
  const container = await context.refresh(source.container);
  const shell = context.shell(container, request.run, source.settings.stopGraceMs);
  const { id, name, stack, service, number } = container;
  const target = targetOf(request);
  const intents: (() => Promise<void>)[] = [];
  const role = { id, name, stack, service, number };
  let told: unknown;
  const intend = async (what: string, undo?: unknown) => {
    told = undo;
    const note = `restore of ${shortId(manifest.id)}, ${what}`;
    const { suffix } = target;
    intents.push(
      await context.journal.intend({
        ...{ kind: 'restore', container: role, source: source.name, note, suffix, undo },
        stops: stops.map((stopped) => stopped.name),
      }),
    );
  };
  const steps = {
    staging: (detail: string) => log.entering(source.name, 'stage', detail),
    checking: (detail: string) => log.entering(source.name, 'check', detail),
    switching: async (detail: string, undo: unknown) => {
      await intend(`switching ${detail}`, undo);
      log.entering(source.name, 'switch', detail);
    },
  };
  const settle = async () => {
    for (const done of intents.reverse()) await done();
  };
  try {
    await intend('staging');
    const restored = await source.engine.restore(shell, from, target, source.settings.options, steps, signal);
    await settle();
    return restored;
  } catch (error) {
    // The engine has put back what it could; where its server went away, the journal keeps the rest for later.
    const left = recoverRestore(context, { container: role, source: source.name, suffix: target.suffix, undo: told });
    await left.then(settle, (failure: unknown) =>
      log.warn(
        source.name,
        `what the restore left is put back later: ${failureOf(failure).message}`,
        'whether it was taken back or had been completed after all is then in the log of the daemon: docker compose logs sidecar',
      ),
    );
    throw error;
  }
}

function targetOf(request: RestoreRequest): RestoreTarget {
  return { as: request.as, only: request.only, suffix: request.run.slice(-6) };
}
