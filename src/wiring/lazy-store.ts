import type { Store } from '../stores/store.ts';

export interface LazyStoreOptions {
  readonly driver: string;
  /** Shown until it is open. */
  readonly location: string;
  /** Opens it, or rejects with why it cannot be used. */
  open(): Promise<Store>;
  /** Looks whether an open one is still what it was; called before anything new is written. */
  check(store: Store): Promise<void>;
}

/** A store, and the way to ask whether it can be used. */
export interface LazyStore extends Store {
  /** Opens it if need be and looks whether it is still ours. Rejects with why it cannot be used. */
  ready(): Promise<void>;
}

/**
 * A store that is opened when it is first used, and tried again at each use as long as that fails: a destination that is
 * away for a while costs what it costs, and nothing else.
 */
export function lazyStore({ driver, location, open, check }: LazyStoreOptions): LazyStore {
  let opening: Promise<Store> | undefined;
  let store: Store | undefined;
  const opened = async (): Promise<Store> => {
    opening ??= open().catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    store = await opening;
    return store;
  };
  const checked = async (): Promise<Store> => {
    const isNew = opening === undefined;
    const found = await opened();
    if (!isNew) await check(found);
    return found;
  };
  return {
    driver,
    get location() {
      return store?.location ?? location;
    },
    ready: async () => void (await checked()),
    put: async (key, body, options, signal) => {
      const found = await opened().catch((error: unknown) => {
        if (!(body instanceof Uint8Array)) body.destroy(); // Nobody else will read it.
        throw error;
      });
      return found.put(key, body, options, signal);
    },
    get: async (...ask) => (await opened()).get(...ask),
    list: async function* (...ask) {
      yield* (await opened()).list(...ask);
    },
    folders: async (...ask) => (await opened()).folders(...ask),
    remove: async (...ask) => (await opened()).remove(...ask),
    draft: async (...ask) => (await checked()).draft(...ask),
    sweep: async (...ask) => (await opened()).sweep(...ask),
    freeBytes: async (...ask) => (await opened()).freeBytes(...ask),
  };
}
