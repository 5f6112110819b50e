import type { Hold } from '../../domain/journal.ts';
import type { Container } from '../../domain/types.ts';
import type { Lifecycle } from '../context.ts';
import { failureOf, type RunLog } from '../history/run-log.ts';
import type { Source } from '../source.ts';

/** Services that are out of the way for a restore; disposing starts those that were not started again. */
export interface Stopped extends AsyncDisposable {
  /** What is stopped now, in the order in which it was. */
  containers(): readonly Container[];
  /** Stops these as well; without a signal also when the run has been cancelled. */
  add(containers: readonly Container[], signal?: AbortSignal): Promise<void>;
  /**
   * Starts everything in the reverse order, each after what it depends on has settled; returns the services. One that
   * does not come up is told of and keeps no other one down.
   */
  startAgain(signal: AbortSignal): Promise<readonly string[]>;
  /** Starts nothing: who reads the journal does, when the time has come. Returns what stays stopped. */
  leave(): readonly Container[];
}

/** Stops the services in this order. When one cannot be stopped, those before it are started again, and it rejects. */
export async function stopServices(
  lifecycle: Lifecycle,
  containers: readonly Container[],
  { name, settings }: Pick<Source, 'name' | 'settings'>,
  log: Pick<RunLog, 'step' | 'warn'>,
  signal: AbortSignal,
): Promise<Stopped> {
  const held: { readonly container: Container; readonly hold: Hold }[] = [];
  const release = async (settle?: AbortSignal): Promise<readonly string[]> => {
    const services: string[] = [];
    for (let entry = held.pop(); entry; entry = held.pop()) {
      const { container, hold } = entry;
      try {
        await hold[Symbol.asyncDispose]();
        services.push(container.service);
        if (settle) await lifecycle.settled(container, settle);
      } catch (error) {
        const { message, hint } = failureOf(error);
        log.warn(name, `${container.service} does not come up again: ${message}`, hint);
      }
    }
    return services;
  };
  const add = async (more: readonly Container[], signal?: AbortSignal) => {
    for (const container of more) {
      const hold = await log.step(name, 'stop', container.service, () =>
        lifecycle.stop(container, settings.stopGraceMs, signal),
      );
      held.push({ container, hold });
    }
  };
  try {
    await add(containers, signal);
  } catch (error) {
    await release();
    throw error;
  }
  return {
    containers: () => held.map(({ container }) => container),
    add,
    startAgain: release,
    leave: () =>
      held.splice(0).map(({ container, hold }) => {
        hold.leave();
        return container;
      }),
    [Symbol.asyncDispose]: async () => {
      await release();
    },
  };
}
