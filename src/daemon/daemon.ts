import type { LifeboatError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import { many } from '../domain/many.ts';
import type { RunControl } from '../runs/control/control.ts';
import type { History } from '../runs/history/history.ts';
import { pause } from './backoff.ts';
import type { Clockwork } from './clockwork.ts';
import type { DestinationKeeper } from './destination-keeper.ts';
import type { EngineKeeper } from './engine-keeper.ts';

export interface DaemonParts {
  readonly engine: EngineKeeper;
  readonly destinations: DestinationKeeper;
  readonly clockwork: Clockwork;
  readonly control: RunControl;
  readonly history: History;
  readonly log: Log;
  /** Teaches a new history what the destinations know. */
  teach(signal: AbortSignal): Promise<void>;
  now(): Date;
}

/** How long an end waits for what has nothing to put back. */
const farewellMs = 3_000;
/** How long a start waits for destinations, so that `status` knows what they know. */
const patienceMs = 30_000;

/**
 * The life of the daemon: keep the Engine and the destinations, then the schedule, until it is told to end. Then every run
 * ends in good order, with what it had stopped started again, before this resolves.
 */
export async function liveAsDaemon(parts: DaemonParts, stop: AbortSignal): Promise<void> {
  const { engine, destinations, control, history, log } = parts;
  const keepers = [engine.keep(stop), destinations.keep(stop)];
  const scheduled = schedule(parts, stop);
  await new Promise<void>((resolve) => {
    if (stop.aborted) resolve();
    stop.addEventListener('abort', () => resolve(), { once: true });
  });
  const cut = control.running.cancelAll(stop.reason as LifeboatError);
  if (cut.length > 0) log.warn(`ending ${many(cut.length, 'run')} under way`);
  await Promise.all([scheduled, control.running.idle()]);
  // A destination that does not answer must not use up the time that `docker stop` gives.
  await Promise.race([Promise.all(keepers), pause(farewellMs, new AbortController().signal)]);
  // Nobody wanted these to end: what the schedule asked for is made up for at the next start.
  history.markInterrupted(cut, parts.now());
}

async function schedule({ destinations, history, clockwork, teach }: DaemonParts, stop: AbortSignal): Promise<void> {
  if (history.isNew) {
    const enough = AbortSignal.any([stop, AbortSignal.timeout(patienceMs)]);
    await Promise.race([destinations.tried(), aborted(enough)]);
    await teach(enough);
  }
  await clockwork.keep(stop);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
