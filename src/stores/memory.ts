import { existsHint, goneHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { type Body, chunksOf, consuming, createMeter, readableOf } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import { removeOrphans } from './orphan.ts';
import { type Confirmation, type Draft, manifestFile, type PutOptions, type Store } from './store.ts';

export interface MemoryStoreOptions {
  readonly name?: string;
  /** Rejects with STORE_FULL beyond it. */
  readonly capacityBytes?: number;
}

interface Kept {
  readonly content: Buffer;
  readonly modifiedAt: Date;
}

/** A store that forgets everything with its process: for tests and for trying things out. */
export function createMemoryStore({ name = 'memory', capacityBytes = Infinity }: MemoryStoreOptions = {}): Store {
  const objects = new Map<string, Kept>();
  const drafts = new Set<string>();
  const left = new Map<string, Map<string, Kept>>();

  const roomLeft = () => capacityBytes - [...objects.values()].reduce((sum, { content }) => sum + content.length, 0);
  const collect = async (key: string, body: Body, signal: AbortSignal): Promise<[Kept, Confirmation]> => {
    checkKey(key);
    const meter = createMeter();
    const chunks: Uint8Array[] = [];
    let room = roomLeft();
    for await (const chunk of chunksOf(body, key, signal)) {
      room -= chunk.length;
      if (room < 0) throw new LifeboatError('STORE_FULL', `no room left in memory://${name}`, { hint: goneHint });
      meter.add(chunk);
      chunks.push(chunk);
    }
    return [
      { content: Buffer.concat(chunks), modifiedAt: new Date() },
      { ...meter.result(), confirmed: 'read-back' },
    ];
  };
  const putInto = (target: Map<string, Kept>, key: string, body: Body, options: PutOptions, signal: AbortSignal) =>
    consuming(body, async () => {
      const [kept, confirmation] = await collect(key, body, signal);
      if (options.ifAbsent && target.has(key)) throw exists(key);
      target.set(key, kept);
      return confirmation;
    });

  const read = (from: ReadonlyMap<string, Kept>, key: string, signal: AbortSignal) => {
    checkKey(key);
    if (signal.aborted) throw asLifeboatError(signal.reason);
    const kept = from.get(key);
    if (!kept)
      throw new LifeboatError('OBJECT_NOT_FOUND', `there is no object ${key} in memory://${name}`, { hint: goneHint });
    return readableOf(slicesOf(kept.content), async () => undefined, signal);
  };

  const store: Store = {
    driver: 'memory',
    location: `memory://${name}`,
    put: (key, body, options, signal) => putInto(objects, key, body, options, signal),
    get: async (key, signal) => read(objects, key, signal),
    async *list(prefix, signal) {
      checkPrefix(prefix);
      for (const [key, { content, modifiedAt }] of [...objects]) {
        if (signal.aborted) throw asLifeboatError(signal.reason);
        if (key.startsWith(prefix)) yield { key, bytes: content.length, modifiedAt };
      }
    },
    async folders(prefix, signal) {
      const names = new Set<string>();
      for await (const { key } of store.list(prefix, signal)) {
        const [name, below] = key.slice(prefix.length).split('/');
        if (name !== undefined && below !== undefined) names.add(name);
      }
      return [...names];
    },
    async remove(key, signal) {
      checkKey(key);
      if (signal.aborted) throw asLifeboatError(signal.reason);
      objects.delete(key);
    },
    async draft(prefix, signal, { resume = false } = {}): Promise<Draft> {
      checkKey(prefix);
      if (signal.aborted) throw asLifeboatError(signal.reason);
      const isThere = [...objects.keys()].some((key) => key.startsWith(`${prefix}/`));
      const found = left.get(prefix);
      if (isThere || drafts.has(prefix) || (found && !resume)) throw exists(prefix);
      drafts.add(prefix);
      left.delete(prefix);
      const files = found ?? new Map<string, Kept>();
      const put = (file: string, body: Body, options: PutOptions, until: AbortSignal) =>
        drafts.has(prefix)
          ? putInto(files, `${prefix}/${file}`, body, { ...options, ifAbsent: true }, until)
          : Promise.reject(closed(prefix));
      return {
        put,
        get: async (file, until) => read(files, `${prefix}/${file}`, until),
        async publish(manifest, until) {
          const confirmation = await put(manifestFile, manifest, { ifAbsent: true }, until);
          for (const [key, kept] of files) objects.set(key, kept);
          drafts.delete(prefix);
          return confirmation;
        },
        leave() {
          if (drafts.delete(prefix)) left.set(prefix, files);
        },
        async discard() {
          drafts.delete(prefix);
        },
      };
    },
    async sweep(olderThanMs, signal) {
      const before = Date.now() - olderThanMs;
      const isOld = (files: ReadonlyMap<string, Kept>) =>
        [...files.values()].every(({ modifiedAt }) => modifiedAt.getTime() <= before);
      const old = [...left].flatMap(([prefix, files]) => (isOld(files) ? [prefix] : []));
      for (const prefix of old) left.delete(prefix);
      return [...old, ...(await removeOrphans(store, olderThanMs, signal))];
    },
    freeBytes: async () => (capacityBytes === Infinity ? undefined : roomLeft()),
  };
  return store;
}

function slicesOf(content: Buffer): () => Promise<Buffer | null> {
  let at = 0;
  return async () => {
    const slice = content.subarray(at, at + 65_536);
    at += slice.length;
    return slice.length > 0 ? slice : null;
  };
}

function exists(key: string): LifeboatError {
  return new LifeboatError('OBJECT_EXISTS', `${key} is there already`, { hint: existsHint });
}

function closed(prefix: string): LifeboatError {
  return new LifeboatError('INTERNAL', `the draft ${prefix} was ended before`);
}
