import { asLifeboatError, isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { shortId } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { Recovered, Restored, RestoreSource } from '../../engines/engine.ts';
import { isHalfDone, needsRestore } from '../../engines/half-done.ts';
import type { RunContext } from '../context.ts';
import type { RunLog } from '../history/run-log.ts';
import { wayOut } from '../journal/unfinished.ts';
import { assertAllowed, inTheWay, type RestorePlan } from './plan.ts';
import { recoverRestore } from './recover.ts';
import { targetOf } from './request.ts';
import type { Stopped } from './stopped.ts';

/** What the data is put back with. */
export interface PuttingBack {
  readonly from: RestoreSource;
  /** Who is out of the way already. */
  readonly stopped: Stopped;
  /** Takes the services of these containers as well. Rejects LOCKED when somebody works on them. */
  occupy(containers: readonly Container[]): void;
  /** What earlier restores left in the journal: once this one is done, nothing of it is taken back any more. */
  overwrites(): Promise<void>;
}

/**
 * Has the engine stage, check and switch, each told to the journal first. When it fails, what it could not put back itself
 * is put back; where that cannot be done now, who uses the data stays stopped, and the journal keeps the rest for later.
 */
export async function putBack(
  context: RunContext,
  { request, preview }: RestorePlan,
  { from, stopped, occupy, overwrites }: PuttingBack,
  log: RunLog,
  signal: AbortSignal,
): Promise<Restored> {
  const { source, manifest } = request;
  const container = await context.refresh(source.container, signal);
  const shell = context.shell(container, request.run, source.settings.stopGraceMs);
  const { id, name, stack, service, number } = container;
  const role = { id, name, stack, service, number };
  const target = targetOf(request);
  const intents: (() => Promise<void>)[] = [];
  let told: unknown;
  const intend = async (what: string, undo?: unknown) => {
    const note = `restore of ${shortId(manifest.id)}, ${what}`;
    const stops = stopped.containers().map((each) => each.name);
    const facts = { container: role, source: source.name, note, suffix: target.suffix, undo, stops };
    intents.push(await context.journal.intend({ kind: 'restore', ...facts }));
    told = undo;
  };
  const settle = async () => {
    for (const done of intents.reverse()) await done();
  };
  /** Staging takes its time: who came up meanwhile would go on with what is replaced. */
  const lookAgain = async () => {
    if (request.as !== undefined) return;
    const { stops, refusals } = await inTheWay(context, container, preview.replaces, signal);
    assertAllowed({ refusals });
    if (stops.length === 0) return;
    occupy(stops);
    log.warn(source.name, `started meanwhile, and stopped as well: ${stops.map((each) => each.service).join(', ')}`);
    await stopped.add(stops, signal);
  };
  const steps = {
    staging: (detail: string) => log.entering(source.name, 'stage', detail),
    checking: (detail: string) => log.entering(source.name, 'check', detail),
    switching: async (detail: string, undo: unknown) => {
      await lookAgain();
      await intend(`switching ${detail}`, undo);
      log.entering(source.name, 'switch', detail);
    },
  };
  try {
    await intend('staging');
    const restored = await source.engine.restore(shell, from, target, source.settings.options, steps, signal);
    await overwrites();
    await settle();
    return restored;
  } catch (thrown) {
    const unfinished = { container: role, source: source.name, suffix: target.suffix, undo: told };
    const recovered = await recoverRestore(context, unfinished).catch((error: unknown) => asLifeboatError(error));
    const isPending = recovered instanceof LifeboatError;
    // What cannot be told from outside, the engine knows that tried to put it back.
    if (!isPending && (!needsRestore(recovered) || (recovered.live === 'unknown' && !isHalfDone(thrown)))) {
      await settle();
      throw told === undefined ? thrown : withOutcome(thrown, recovered);
    }
    if (told === undefined || isLifeboatError(recovered, 'SOURCE_NOT_FOUND')) {
      const { message } = isPending ? recovered : { message: recovered.found };
      log.warn(source.name, `what the restore left beside the data is removed later: ${message}`);
      throw thrown;
    }
    const why = isPending ? `it cannot be taken back yet: ${recovered.message}` : recovered.found;
    // The engine started it again. Whose files are in between must not write into them.
    const complain = (error: unknown) => log.warn(source.name, asLifeboatError(error).message);
    if (preview.replaces) await stopped.add([container]).catch(complain);
    throw inBetween(thrown, why, wayOut(unfinished, stopped.leave(), isPending));
  }
}

// --- utils ---

/** The error, with how the live data is now. */
function withOutcome(thrown: unknown, { live, found }: Recovered): LifeboatError {
  const error = asLifeboatError(thrown);
  const { code, message, hint, retryable, context } = error;
  const details = { retryable, context, cause: error.cause ?? error };
  if (live !== 'restored') {
    const isSaid = hint !== undefined && !isHalfDone(thrown);
    return new LifeboatError(code, message, {
      ...details,
      hint: live === 'before' && !isSaid ? `by now ${found}` : hint,
    });
  }
  return new LifeboatError(code, `${message}; yet the backup is in place, as ${found} by then`, {
    ...details,
    hint: 'the last checks were not made: look at the data; the safety backup is the way back',
  });
}

/** Live data may be neither the old nor the new, whatever made the restore fail. */
function inBetween(thrown: unknown, why: string, hint: string): LifeboatError {
  const { message } = asLifeboatError(thrown);
  return new LifeboatError('RESTORE_FAILED', `${message}; ${why}`, {
    hint,
    context: { isInBetween: true },
    cause: thrown,
  });
}
