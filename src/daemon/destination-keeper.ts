import { isLifeboatError } from '../domain/errors.ts';
import { failureFields, type Log } from '../domain/log.ts';
import type { Failure } from '../domain/run-event.ts';
import { abandonedMs } from '../runs/backup/tidy.ts';
import type { Destination } from '../runs/context.ts';
import { failureOf } from '../runs/history/run-log.ts';
import { type Backoff, pause, untilDone } from './backoff.ts';
import type { Organ } from './health.ts';

/** A destination that can say whether it can be used. */
export interface KeptDestination extends Destination {
  readonly store: Destination['store'] & {
    /** Rejects with why it cannot be used. */
    ready(signal: AbortSignal): Promise<void>;
  };
}

export interface DestinationKeeper extends Organ {
  /** Resolves when each was tried once, or the signal fired. */
  tried(): Promise<void>;
  /** Opens, sweeps and looks after all destinations until the signal fires. Never rejects. */
  keep(signal: AbortSignal): Promise<void>;
}

export interface DestinationKeeperParts {
  readonly destinations: readonly KeptDestination[];
  readonly log: Log;
  readonly backoff?: Backoff;
}

const usualBackoff: Backoff = { firstMs: 2_000, longestMs: 300_000 };
const lookEveryMs = 300_000;
const sweepEveryMs = 24 * 3_600_000;

/** Ails when no destination at all can be used: with one of several, backups are degraded, which their results say. */
export function createDestinationKeeper({ destinations, log, backoff }: DestinationKeeperParts): DestinationKeeper {
  const ailments = new Map<string, Failure>();
  const firstTries = destinations.map(() => Promise.withResolvers<void>());

  async function keepOne({ name, store }: KeptDestination, tried: () => void, signal: AbortSignal): Promise<void> {
    const failed = (error: unknown) => {
      tried();
      const failure = failureOf(error);
      const before = ailments.get(name);
      ailments.set(name, failure);
      if (before?.message === failure.message) return;
      log.warn(`cannot be used: ${failure.message}; trying again`, { destination: name, ...failureFields(failure) });
    };
    const works = () => {
      tried();
      if (ailments.delete(name)) log.info('can be used again', { destination: name });
    };
    let sweptAt: number | undefined;
    while (!signal.aborted) {
      await untilDone(() => store.ready(signal), failed, signal, backoff ?? usualBackoff);
      if (signal.aborted) return;
      works();
      if (sweptAt === undefined || performance.now() - sweptAt > sweepEveryMs) {
        if (await sweep(name, store, signal)) sweptAt = performance.now();
      }
      await pause(lookEveryMs, signal);
    }
  }

  /** False when another sidecar writes there just now: it will be there after it as well. */
  async function sweep(name: string, store: KeptDestination['store'], signal: AbortSignal): Promise<boolean> {
    try {
      const removed = await store.sweep(abandonedMs, signal);
      if (removed.length > 0) log.info(`removed ${removed.length} leftovers of killed writers`, { destination: name });
    } catch (error) {
      if (signal.aborted || isLifeboatError(error, 'LOCKED')) return false;
      const failure = failureOf(error);
      log.warn(`leftovers could not be removed: ${failure.message}`, { destination: name, ...failureFields(failure) });
    }
    return true;
  }

  return {
    ailment: () => {
      if (destinations.length === 0 || ailments.size < destinations.length) return undefined;
      const [first] = ailments;
      return first && { ...first[1], message: `no destination can be used: ${first[0]}: ${first[1].message}` };
    },
    tried: async () => {
      await Promise.all(firstTries.map(({ promise }) => promise));
    },
    keep: async (signal) => {
      signal.addEventListener('abort', () => {
        for (const { resolve } of firstTries) resolve();
      });
      await Promise.all(destinations.map((one, i) => keepOne(one, () => firstTries[i]?.resolve(), signal)));
    },
  };
}
