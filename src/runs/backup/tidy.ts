import { writeRecovery } from '../../catalog/recovery.ts';
import { deadline } from '../../domain/abort.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { SourceResult } from '../../domain/run-event.ts';
import type { Destination } from '../context.ts';
import { failureOf, type RunLog } from '../history/run-log.ts';

/** Nobody writes one backup for longer than a day without touching its folder: what is older belongs to nobody. */
export const abandonedMs = 24 * 3_600_000;

const patienceMs = 120_000;
/** A sweep lists the whole destination; what it looks for is a day old. */
const sweepEveryMs = 3_600_000;
const sweptAt = new WeakMap<Destination, number>();

/**
 * After a run, in every destination that it wrote to: the recovery page names the backups that were just kept, and what
 * killed writers left behind is removed. Never rejects, as the backups stand; what does not work is told.
 */
export async function tidyUp(
  destinations: readonly Destination[],
  results: readonly SourceResult[],
  log: RunLog,
  outer: AbortSignal,
): Promise<void> {
  const isWritten = ({ name }: Destination) =>
    results.some((result) => result.destinations?.some((one) => one.name === name && one.result === 'ok'));
  await Promise.all(
    destinations.filter(isWritten).map(async (destination) => {
      const late = () => new LifeboatError('STORE_UNAVAILABLE', `it took longer than ${patienceMs / 1000} s`);
      const signal = AbortSignal.any([outer, deadline(patienceMs, late)]);
      const tell = (what: string) => (error: unknown) => {
        if (outer.aborted || isLifeboatError(error, 'LOCKED')) return;
        const { message, hint } = failureOf(error);
        log.note(`destination ${destination.name}: ${what}: ${message}`, hint);
      };
      await describe(destination, signal).catch(tell('RECOVERY.md could not be written'));
      await sweep(destination, log, signal).catch(tell('leftovers could not be removed'));
    }),
  );
}

// --- utils ---

async function describe({ store, catalog }: Destination, signal: AbortSignal): Promise<void> {
  await writeRecovery(store, await catalog.newest({}, signal), new Date(), signal);
}

async function sweep(destination: Destination, log: RunLog, signal: AbortSignal): Promise<void> {
  const before = sweptAt.get(destination);
  if (before !== undefined && performance.now() - before < sweepEveryMs) return;
  const removed = await destination.store.sweep(abandonedMs, signal);
  sweptAt.set(destination, performance.now());
  if (removed.length > 0) log.swept(`${destination.name}: ${removed.length} leftovers of killed writers were removed`);
}
