import { unlessAborted } from '../domain/abort.ts';
import type { Store } from '../stores/store.ts';

export interface LazyStoreOptions {
  readonly driver: string;
  /** Shown until it is open. */
  readonly location: string;
  /** Opens it, or rejects with why it cannot be used. */
  open(): Promise<Store>;
  /** Looks whether an open one is still what it was; called before anything new is written. */
  check(store: Store, signal: AbortSignal): Promise<void>;
}

/** A store, and the way to ask whether it can be used. */
export interface LazyStore extends Store {
  /** Opens it if need be and looks whether it is still ours. Rejects with why it cannot be used. */
  ready(signal: AbortSignal): Promise<void>;
}

/**
 * A store that is opened when it is first used, and tried again at each use as long as that fails: a destination that is
 * away for a while costs what it costs, and nothing else. Whoever is told to end does not wait for the opening.
 */
export function lazyStore({ driver, location, open, check }: LazyStoreOptions): LazyStore {
  let opening: Promise<Store> | undefined;
  let store: Store | undefined;
  const opened = async (signal: AbortSignal): Promise<Store> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    store = await unlessAborted(opening, signal);
    return store;
  };
  const checked = async (signal: AbortSignal): Promise<Store> => {
    const isNew = opening === undefined;
    const found = await opened(signal);
    if (!isNew) await check(found, signal);
    return found;
  };
  return {
    driver,
    get location() {
      return store?.location ?? location;
    },
    ready: async (signal) => void (await checked(signal)),
    put: async (key, body, options, signal) => {
      const found = await opened(signal).catch((error: unknown) => {
        if (!(body instanceof Uint8Array)) body.destroy(); // Nobody else will read it.
        throw error;
      });
      return found.put(key, body, options, signal);
    },
    get: async (key, signal) => (await opened(signal)).get(key, signal),
    list: async function* (prefix, signal) {
      yield* (await opened(signal)).list(prefix, signal);
    },
    folders: async (prefix, signal) => (await opened(signal)).folders(prefix, signal),
    remove: async (key, signal) => (await opened(signal)).remove(key, signal),
    draft: async (prefix, signal, options) => (await checked(signal)).draft(prefix, signal, options),
    sweep: async (olderThanMs, signal) => (await opened(signal)).sweep(olderThanMs, signal),
    freeBytes: async (signal) => (await opened(signal)).freeBytes(signal),
  };
}
