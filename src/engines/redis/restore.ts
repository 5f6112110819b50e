import { basename } from 'node:path/posix';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Restored, RestoreSource, RestoreSteps, RestoreTarget } from '../engine.ts';
import { halfDone, isHalfDone } from '../half-done.ts';
import { type Compared, compareStaged } from './compare.ts';
import { factsIn } from './facts.ts';
import { inLayer } from './layer.ts';
import { compareStarted, untilLoaded } from './loaded.ts';
import { onMount } from './mount.ts';
import type { RedisOptions } from './options.ts';
import { isShared, placeOf } from './place.ts';
import { meet } from './present.ts';
import { noBeside, refusalsOf } from './preview.ts';
import { stage } from './stage.ts';
import { partsOf, type Switch, type SwitchUndo } from './switch.ts';

/**
 * The RDB is loaded by a server of its own, beside the live one, and compared; that server also writes the AOF when one
 * is wanted. What goes live is then moved into place while the container is stopped, which takes moments, and what was
 * there is kept. When the container does not take it, all goes back.
 */
export async function restore(
  shell: Shell,
  from: RestoreSource,
  target: RestoreTarget,
  options: RedisOptions,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<Restored> {
  if (target.as !== undefined) throw new LifeboatError('USAGE', noBeside, { hint: 'restore without --as' });
  const { artifact, facts } = factsIn(from.manifest);
  if (target.only && !target.only.includes(artifact.name)) {
    throw new LifeboatError('BACKUP_NOT_FOUND', `this backup has no ${target.only.join(', ')}`, {
      hint: `it has: ${artifact.name}`,
    });
  }
  const present = await meet(shell, options, facts, signal);
  const refusals = refusalsOf(shell, from.manifest, facts, target, present);
  if (refusals.length > 0) {
    throw new LifeboatError('RESTORE_REFUSED', refusals.join('; '), { hint: 'nothing was touched' });
  }
  const { layout, live } = present;
  const place = placeOf(shell.container, layout.folder);
  const client = live ? basename(live.client.tool) : layout.program.replace('server', 'cli');
  const context = { shell, from, artifact, facts, layout, client, suffix: target.suffix };
  const change = isShared(place) ? onMount(context, place.mount) : inLayer(context);
  const restored = await cleaningUp(change, async () => {
    steps.staging(`${artifact.name} beside the data in ${layout.folder}`);
    const staged = await stage(shell, from, artifact, facts, await change.prepare(signal), signal);
    steps.checking('the staged copy against the backup');
    const compared = compareStaged(staged, artifact);
    const undo: SwitchUndo = { folder: layout.folder, owner: layout.owner, parts: [...partsOf(layout)] };
    await steps.switching(`${layout.folder} of ${shell.container.name}`, undo);
    const started = await switchOver(shell, change, options, live !== undefined, compared, signal);
    return { checks: [...compared.checks, ...started], warnings: compared.warnings };
  });
  const asleep = `${shell.container.name} did not run before and was not started; start it when you are ready`;
  return {
    checks: restored.checks,
    warnings: [...restored.warnings, ...(live ? [] : [asleep])],
    kept: [change.kept],
  };
}

/** What staging left is removed unless it is needed to take the switch back; a failure to do so never hides that of the work. */
async function cleaningUp<T>(change: Switch, work: () => Promise<T>): Promise<T> {
  let result: T;
  try {
    result = await work();
  } catch (error) {
    const failure = asLifeboatError(error);
    if (isHalfDone(failure)) throw failure;
    try {
      await change.discard();
    } catch (second) {
      const { code, message, hint } = failure;
      throw new LifeboatError(code, message, { hint, cause: new AggregateError([error, second]) });
    }
    throw failure;
  }
  await change.discard();
  return result;
}

/** From here on nothing may be left half-done: our own cancellation counts as a failure, and a failure goes back. */
async function switchOver(
  shell: Shell,
  change: Switch,
  options: RedisOptions,
  wasRunning: boolean,
  { leastKeys }: Compared,
  signal: AbortSignal,
): Promise<string[]> {
  try {
    {
      await using _stopped = await shell.stopped();
      await change.over();
    }
    if (!wasRunning) return [];
    return [await compareStarted(await untilLoaded(shell, options, signal), leastKeys, signal)];
  } catch (error) {
    await goBack(shell, change, options, wasRunning, error);
    throw new LifeboatError(
      'RESTORE_FAILED',
      `${shell.container.name} did not take the restored data: ${error instanceof Error ? error.message : String(error)}`,
      { hint: 'the data from before is back in place; docker logs of it tells more', cause: error },
    );
  }
}

async function goBack(
  shell: Shell,
  change: Switch,
  options: RedisOptions,
  wasRunning: boolean,
  cause: unknown,
): Promise<void> {
  try {
    {
      await using _stopped = await shell.stopped();
      await change.back();
    }
    if (!wasRunning) return;
    await shell.start(); // One that died by itself is not started by what was stopped.
    await untilLoaded(shell, options, AbortSignal.timeout(600_000));
  } catch (error) {
    throw halfDone(`the restore failed, and so did going back to the data from before in ${shell.container.name}`, {
      hint: change.kept,
      cause: new AggregateError([cause, error]),
    });
  }
}
