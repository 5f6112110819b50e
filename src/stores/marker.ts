import { randomUUID } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Store } from './store.ts';

/** The object that says: this is a Lifeboat destination, and which one. */
export const markerFile = 'lifeboat.json';

const Marker = z.object({
  format: z.literal(1),
  /** Tells this destination from any other, wherever it is mounted. */
  repository: z.uuid(),
  createdAt: z.iso.datetime(),
  /** The version that made it. */
  lifeboat: z.string(),
});
export type Marker = z.infer<typeof Marker>;

export interface OpenMarkedOptions {
  /** Whether this destination was ever used before, by the caller's own records. */
  readonly known: boolean;
  /** Our version, for a new marker. */
  readonly lifeboat: string;
  readonly now?: Date;
}

export interface Marked {
  readonly marker: Marker;
  /** True when it was just made: worth telling, as a lost history looks the same. */
  readonly created: boolean;
}

/**
 * Reads the destination's marker. A destination without one is marked only when it is empty and was never used before. Otherwise it rejects with STORE_UNMARKED: what was a full disk yesterday and is an
 * empty folder today is a disk that is not mounted, and a backup written there would fill the wrong disk and start an
 * empty history.
 */
export async function openMarked(store: Store, options: OpenMarkedOptions, signal: AbortSignal): Promise<Marked> {
  const found = await readMarker(store, signal);
  if (found) return { marker: found, created: false };
  await refuseUnlessNew(store, options.known, signal);
  return createMarker(store, options, signal);
}

async function readMarker(store: Store, signal: AbortSignal): Promise<Marker | undefined> {
  let bytes: Buffer;
  try {
    bytes = await buffer(await store.get(markerFile, signal));
  } catch (error) {
    if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
  return parseMarker(bytes, store.location);
}

function parseMarker(bytes: Buffer, location: string): Marker {
  const damaged = (cause: unknown) =>
    new LifeboatError('ARTIFACT_CORRUPT', `${markerFile} in ${location} is damaged`, {
      hint: `if this is the right place, remove ${markerFile} there; it can be made anew, the backups need nothing from it`,
      cause,
    });
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch (error) {
    throw damaged(error);
  }
  const format = z.looseObject({ format: z.number() }).safeParse(json);
  if (format.success && format.data.format > 1) {
    throw new LifeboatError(
      'STORE_UNMARKED',
      `${location} has format ${format.data.format}, which is newer than this Lifeboat`,
      {
        hint: 'use the Lifeboat that wrote there, or a newer one',
      },
    );
  }
  const marker = Marker.safeParse(json);
  if (!marker.success) throw damaged(marker.error);
  return marker.data;
}

async function refuseUnlessNew(store: Store, known: boolean, signal: AbortSignal): Promise<void> {
  if (known) {
    throw new LifeboatError('STORE_UNMARKED', `${store.location} was used before, but its ${markerFile} is gone`, {
      hint: `is the disk mounted, and are bucket and prefix right? Mount it and try again. If a new place is meant, name another folder or prefix, or put the old ${markerFile} into this one`,
    });
  }
  const first = await firstKey(store, signal);
  if (first === undefined) return;
  throw new LifeboatError('STORE_UNMARKED', `${store.location} is not empty and has no ${markerFile}`, {
    hint: `it holds for example ${first}: name an empty folder or prefix. If your backups lie there, put their ${markerFile} back: docs/reference/format.md shows what is in it`,
  });
}

async function firstKey(store: Store, signal: AbortSignal): Promise<string | undefined> {
  for await (const { key } of store.list('', signal)) return key;
  return undefined;
}

async function createMarker(store: Store, options: OpenMarkedOptions, signal: AbortSignal): Promise<Marked> {
  const marker: Marker = {
    format: 1,
    repository: randomUUID(),
    createdAt: (options.now ?? new Date()).toISOString(),
    lifeboat: options.lifeboat,
  };
  try {
    await store.put(markerFile, Buffer.from(`${JSON.stringify(marker, null, 2)}\n`), { ifAbsent: true }, signal);
  } catch (error) {
    // Somebody else marked it in this moment.
    const theirs = isLifeboatError(error, 'OBJECT_EXISTS') ? await readMarker(store, signal) : undefined;
    if (theirs) return { marker: theirs, created: false };
    throw error;
  }
  return { marker, created: true };
}
