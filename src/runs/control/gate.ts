import { LifeboatError } from '../../domain/errors.ts';
import { shortId } from '../../domain/naming.ts';
import { type SourceAddress, sourceName } from '../../domain/types.ts';
import { createWaiting } from '../../domain/waiting.ts';

/** The service of a stack. */
export type ServiceAddress = Pick<SourceAddress, 'stack' | 'service'>;

/**
 * Who may work on what, over all runs of this process: never two backups of one source, never a backup of a service that
 * is being restored, never two restores that touch the same service, and no more backups at a time than is wanted.
 */
export interface Gate {
  /** Reserves a source for one backup, from its queueing to its end; or tells which run has it already. */
  claim(source: SourceAddress, run: string): Claim | { readonly takenBy: string };
  /** Takes whole services for a restore. Rejects LOCKED when one of them is being backed up or restored; never waits. */
  occupy(services: readonly ServiceAddress[], run: string): Disposable;
  /** The run that has reserved or is backing up this source, if any. */
  claimedBy(source: SourceAddress): string | undefined;
}

/** One reserved source; disposing gives it back. */
export interface Claim extends Disposable {
  /** Resolves when there is a place for it and no restore of its service goes on; disposing frees the place. */
  enter(signal: AbortSignal): Promise<Disposable>;
}

/** `width` backups at a time. Restores take no place: somebody is waiting for them. */
export function createGate(width: number): Gate {
  const claims = new Map<string, string>();
  const active = new Map<string, string>();
  const occupied = new Map<string, string>();
  const waiting = createWaiting();
  let free = width;

  async function enter(source: SourceAddress, run: string, signal: AbortSignal): Promise<Disposable> {
    const service = serviceKey(source);
    const key = sourceKey(source);
    signal.throwIfAborted();
    while (free === 0 || occupied.has(service)) await waiting.change(signal);
    free -= 1;
    active.set(key, run);
    return once(() => {
      free += 1;
      active.delete(key);
      waiting.changed();
    });
  }

  return {
    claim: (source, run) => {
      const key = sourceKey(source);
      const takenBy = claims.get(key);
      if (takenBy !== undefined) return { takenBy };
      claims.set(key, run);
      return { enter: (signal) => enter(source, run, signal), ...once(() => claims.delete(key)) };
    },
    occupy: (services, run) => {
      const keys = [...new Set(services.map(serviceKey))];
      for (const service of services) {
        const restoring = occupied.get(serviceKey(service));
        if (restoring !== undefined && restoring !== run) throw busy(service.service, 'restored', restoring);
        const backing = [...active].find(([key]) => key.startsWith(`${serviceKey(service)}/`));
        if (backing) throw busy(service.service, 'backed up', backing[1]);
      }
      for (const key of keys) occupied.set(key, run);
      return once(() => {
        for (const key of keys) occupied.delete(key);
        waiting.changed();
      });
    },
    claimedBy: (source) => claims.get(sourceKey(source)),
  };
}

// --- utils ---

function busy(service: string, how: string, run: string): LifeboatError {
  return new LifeboatError('LOCKED', `${service} is being ${how} by run ${shortId(run)}`, {
    hint: `wait for it to end (lifeboat status), or end it: lifeboat cancel ${shortId(run)}`,
    retryable: true,
    context: { run },
  });
}

/** Encoded, so that no name can hold the separator. */
function serviceKey({ stack, service }: ServiceAddress): string {
  return `${encodeURIComponent(stack)}/${encodeURIComponent(service)}`;
}

function sourceKey(source: SourceAddress): string {
  return `${serviceKey(source)}/${encodeURIComponent(sourceName(source))}`;
}

function once(act: () => void): Disposable {
  let isDone = false;
  return {
    [Symbol.dispose]: () => {
      if (isDone) return;
      isDone = true;
      act();
    },
  };
}
