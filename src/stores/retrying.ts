import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { isLifeboatError } from '../domain/errors.ts';
import { type Backoff, defaultBackoff, withRetries } from './backoff.ts';
import type { Body } from './body.ts';
import type { Confirmation, Draft, PutOptions, Store, StoredObject } from './store.ts';

/**
 * The same store, with calls repeated that failed for a passing reason. What cannot be repeated safely is not: a put
 * whose body is a stream, a listing that has already yielded, the opening and the publishing of a draft.
 */
export function retrying(store: Store, options: Partial<Backoff> = {}): Store {
  const backoff: Backoff = { ...defaultBackoff, ...options };
  return {
    ...store,
    put: (key, body, putOptions, signal) =>
      repeatPut(
        (bytes) => store.put(key, bytes, putOptions, signal),
        async () => buffer(await store.get(key, signal)),
        body,
        putOptions,
        backoff,
        signal,
      ),
    get: (key, signal) => withRetries(() => store.get(key, signal), backoff, signal),
    list: (prefix, signal) => listFrom(store, prefix, backoff, signal),
    folders: (prefix, signal) => withRetries(() => store.folders(prefix, signal), backoff, signal),
    remove: (key, signal) => withRetries(() => store.remove(key, signal), backoff, signal),
    draft: async (prefix, signal, draftOptions) =>
      retryingDraft(await store.draft(prefix, signal, draftOptions), backoff),
    freeBytes: (signal) => withRetries(() => store.freeBytes(signal), backoff, signal),
  };
}

function retryingDraft(draft: Draft, backoff: Backoff): Draft {
  return {
    ...draft,
    get: (name, signal) => withRetries(() => draft.get(name, signal), backoff, signal),
    put: (name, body, options, signal) =>
      body instanceof Uint8Array && !options.ifAbsent
        ? withRetries(() => draft.put(name, body, options, signal), backoff, signal)
        : draft.put(name, body, options, signal),
  };
}

async function repeatPut(
  put: (body: Body) => Promise<Confirmation>,
  readBack: () => Promise<Buffer>,
  body: Body,
  { ifAbsent = false }: PutOptions,
  backoff: Backoff,
  signal: AbortSignal,
): Promise<Confirmation> {
  if (!(body instanceof Uint8Array)) return put(body);
  return withRetries(
    async (attempt) => {
      try {
        return await put(body);
      } catch (error) {
        if (attempt === 1 || !ifAbsent || !isLifeboatError(error, 'OBJECT_EXISTS')) throw error;
        // An attempt whose answer was lost may have stored the object after all.
        const stored = await readBack();
        if (!stored.equals(body)) throw error;
        return {
          bytes: body.length,
          sha256: createHash('sha256').update(stored).digest('hex'),
          confirmed: 'read-back',
        };
      }
    },
    backoff,
    signal,
  );
}

async function* listFrom(
  store: Store,
  prefix: string,
  backoff: Backoff,
  signal: AbortSignal,
): AsyncGenerator<StoredObject> {
  const [first, rest] = await withRetries(
    async () => {
      const objects = store.list(prefix, signal)[Symbol.asyncIterator]();
      return [await objects.next(), objects] as const;
    },
    backoff,
    signal,
  );
  try {
    for (let next = first; !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
