import { unlessAborted } from '../domain/abort.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Draft, Store } from '../stores/store.ts';
import type { Lease } from './lease.ts';

/** A share in the lease of a destination; disposing gives it back. */
export interface Hold extends AsyncDisposable {
  /** Fires with LOCKED when the lease was lost: stop writing there at once. */
  readonly lost: AbortSignal;
}

/** The lease of this process on one destination: laid for the first that writes there, released after the last. */
export interface LeaseKeeper {
  /** Rejects LOCKED, naming who holds it, or with why the destination cannot be used. */
  hold(signal: AbortSignal): Promise<Hold>;
}

interface Shared {
  readonly lease: Promise<Lease>;
  readonly giveUp: AbortController;
  users: number;
}

export function createLeaseKeeper(acquire: (signal: AbortSignal) => Promise<Lease>): LeaseKeeper {
  let current: Shared | undefined;
  /** Of the lease before: there is never more than one of ours. */
  let released: Promise<void> = Promise.resolve();

  const begin = (): Shared => {
    const giveUp = new AbortController();
    const before = released;
    const shared: Shared = { lease: before.then(() => acquire(giveUp.signal)), giveUp, users: 0 };
    shared.lease.then(
      ({ lost }) => lost.addEventListener('abort', () => forget(shared)),
      () => forget(shared),
    );
    return shared;
  };
  const forget = (shared: Shared): void => {
    if (current === shared) current = undefined;
  };
  const leave = async (shared: Shared): Promise<void> => {
    shared.users -= 1;
    if (shared.users > 0) return;
    forget(shared);
    shared.giveUp.abort();
    // One that could not be taken has nothing to release.
    released = Promise.allSettled([released, shared.lease.then((lease) => lease.release())]).then(() => undefined);
    await released;
  };

  return {
    hold: async (signal) => {
      current ??= begin();
      const shared = current;
      shared.users += 1;
      let isHeld = true;
      const giveBack = async () => {
        if (!isHeld) return;
        isHeld = false;
        await leave(shared);
      };
      try {
        const { lost } = await unlessAborted(shared.lease, signal);
        return { lost, [Symbol.asyncDispose]: giveBack };
      } catch (error) {
        // Whoever was told to end does not wait for what it leaves behind.
        if (signal.aborted) giveBack().catch(() => undefined);
        else await giveBack();
        throw error;
      }
    },
  };
}

/**
 * The same store, written to only under its lease: a backup's folder from its opening until it is discarded, and a sweep.
 * A lost lease fails what is being written.
 */
export function leased<S extends Store>(store: S, keeper: LeaseKeeper): S {
  const drafts = new Set<string>();
  return {
    ...store,
    get location() {
      return store.location;
    },
    async draft(prefix, signal, options) {
      // What another run of ours is writing looks like something left behind.
      if (drafts.has(prefix)) throw beingWritten(prefix);
      drafts.add(prefix);
      let hold: Hold | undefined;
      try {
        hold = await keeper.hold(signal);
        const draft = await store.draft(prefix, AbortSignal.any([signal, hold.lost]), options);
        return guarded(draft, hold, () => drafts.delete(prefix));
      } catch (error) {
        drafts.delete(prefix);
        await hold?.[Symbol.asyncDispose]();
        throw error;
      }
    },
    async sweep(olderThanMs, signal) {
      // An upload of ours may be older than any age that speaks of a killed writer.
      if (drafts.size > 0) return [];
      await using hold = await keeper.hold(signal);
      return await store.sweep(olderThanMs, AbortSignal.any([signal, hold.lost]));
    },
  };
}

// --- utils ---

function beingWritten(prefix: string): LifeboatError {
  return new LifeboatError('OBJECT_EXISTS', `the backup folder ${prefix} is being written by another run`, {
    hint: 'lifeboat status shows it; when it is over, look with lifeboat list whether anything is missing',
  });
}

function guarded(draft: Draft, hold: Hold, closed: () => void): Draft {
  const unlessLost = (signal: AbortSignal) => AbortSignal.any([signal, hold.lost]);
  let isOpen = true;
  return {
    put: (name, body, options, signal) => draft.put(name, body, options, unlessLost(signal)),
    get: (name, signal) => draft.get(name, unlessLost(signal)),
    leave: () => draft.leave(),
    async publish(manifest, signal) {
      hold.lost.throwIfAborted();
      return draft.publish(manifest, unlessLost(signal));
    },
    async discard() {
      try {
        await draft.discard();
      } finally {
        if (isOpen) {
          isOpen = false;
          closed();
          await hold[Symbol.asyncDispose]();
        }
      }
    },
  };
}
