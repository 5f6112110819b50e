import { buffer } from 'node:stream/consumers';
import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { backupPrefix, newId, shortId } from '../domain/naming.ts';
import { type SourceAddress, sourceName } from '../domain/types.ts';
import { Verification } from '../domain/verification.ts';
import { manifestFile, type Store } from '../stores/store.ts';
import { mapBounded } from './bounded.ts';
import { decodeManifest, manifestHash } from './manifest-codec.ts';
import { type BackupQuery, byAge, type Place, placesOf } from './place.ts';

/** A backup that is there and cannot be used as it is. */
export interface CatalogProblem {
  /** The manifest's key in the destination. */
  readonly key: string;
  readonly error: LifeboatError;
}

export interface CatalogView {
  /** Newest first. */
  readonly manifests: readonly Manifest[];
  readonly problems: readonly CatalogProblem[];
}

/** All backups of one destination. A backup exists if and only if its manifest does. */
export interface Catalog {
  /** Reads the manifests that match. A damaged one is a problem beside them; a destination that cannot be listed rejects. */
  list(query: BackupQuery, signal: AbortSignal): Promise<CatalogView>;
  /** By whole or short id. Rejects BACKUP_NOT_FOUND, USAGE when several match, ARTIFACT_CORRUPT when it is damaged. */
  find(id: string, signal: AbortSignal): Promise<Manifest>;
  /** The newest backup of one source that can be read. */
  latest(address: SourceAddress, signal: AbortSignal): Promise<Manifest | undefined>;
  /** The newest backup of each source that matches. */
  newest(query: BackupQuery, signal: AbortSignal): Promise<readonly Manifest[]>;
  /** What the next manifest of this source names as `previous`. */
  chainHead(address: SourceAddress, signal: AbortSignal): Promise<string | undefined>;
  /** Removes a backup, its manifest first: what is left if that is cut short is no backup, and sweep removes it. */
  forget(manifest: Manifest, signal: AbortSignal): Promise<void>;
  /** Keeps beside the manifest, which never changes, what a verification found out. */
  annotate(manifest: Manifest, verification: Verification, signal: AbortSignal): Promise<void>;
  /** The last verification of the copy here that can be read; undefined when there was none. */
  verification(manifest: Manifest, signal: AbortSignal): Promise<Verification | undefined>;
}

const parallelReads = 8;
const manifestBytes = 16 * 1024 * 1024;
const eventsFolder = 'events';
/** What follows the second in the name of a verification. */
const randomEnd = '-k3f9a2-verified.json'.length;

export function createCatalog(store: Store): Catalog {
  const read = async (place: Place, signal: AbortSignal): Promise<Found | CatalogProblem | undefined> => {
    try {
      const bytes = await readDocument(store, place.key, signal);
      const manifest = decodeManifest(bytes, place.key);
      checkPlace(manifest, place);
      return { manifest, hash: manifestHash(bytes) };
    } catch (error) {
      // A folder without a manifest is no backup: being written, or being removed.
      if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return undefined;
      if (isLifeboatError(error, 'ARTIFACT_CORRUPT')) return { key: place.key, error };
      throw asLifeboatError(error);
    }
  };
  const newestOf = async (places: readonly Place[], signal: AbortSignal): Promise<Found | undefined> => {
    for (const place of places.toSorted(byAge)) {
      const found = await read(place, signal);
      if (found && 'manifest' in found) return found;
    }
    return undefined;
  };

  const catalog: Catalog = {
    async list(query, signal) {
      const places = (await placesOf(store, query, signal)).sort(byAge);
      const found = await mapBounded(places, parallelReads, (place) => read(place, signal));
      return {
        manifests: found.flatMap((one) => (one && 'manifest' in one ? [one.manifest] : [])),
        problems: found.flatMap((one) => (one && 'error' in one ? [one] : [])),
      };
    },
    async find(id, signal) {
      const wanted = id.trim().toLowerCase();
      const places = (await placesOf(store, {}, signal)).filter((place) =>
        [place.id, shortId(place.id)].includes(wanted),
      );
      const found = await mapBounded(places, parallelReads, (place) => read(place, signal));
      const there = places.filter((_, i) => found[i] !== undefined);
      const [one] = found.filter((any) => any !== undefined);
      if (one === undefined) throw notFound(id, store.location);
      if (there.length > 1) throw ambiguous(id, there);
      if ('error' in one) throw one.error;
      return one.manifest;
    },
    async latest(address, signal) {
      return (await newestOf(await placesOf(store, address, signal), signal))?.manifest;
    },
    async newest(query, signal) {
      const bySource = Map.groupBy(await placesOf(store, query, signal), ({ key }) =>
        key.split('/').slice(0, 3).join('/'),
      );
      const found = await mapBounded([...bySource.values()], parallelReads, (places) => newestOf(places, signal));
      return found.flatMap((one) => (one ? [one.manifest] : []));
    },
    async chainHead(address, signal) {
      return (await newestOf(await placesOf(store, address, signal), signal))?.hash;
    },
    async forget(manifest, signal) {
      const prefix = backupPrefix(manifest, manifest.id);
      await store.remove(`${prefix}/${manifestFile}`, signal);
      for (const key of await keysBelow(store, `${prefix}/`, signal)) await store.remove(key, signal);
    },
    async annotate(manifest, verification, signal) {
      const name = `${newId(new Date(verification.at))}-${verification.type}.json`;
      const key = `${backupPrefix(manifest, manifest.id)}/${eventsFolder}/${name}`;
      const body = Buffer.from(`${JSON.stringify(verification, null, 2)}\n`);
      await store.put(key, body, { ifAbsent: true }, signal);
    },
    async verification(manifest, signal) {
      const keys = await keysBelow(store, `${backupPrefix(manifest, manifest.id)}/${eventsFolder}/`, signal);
      const newestFirst = keys.filter((key) => key.endsWith('-verified.json')).sort((a, b) => (a < b ? 1 : -1));
      // Names sort by the second; the few of one second are told apart by what they say.
      for (const [, same] of Map.groupBy(newestFirst, (key) => key.slice(0, -randomEnd))) {
        const found = await mapBounded(same, parallelReads, async (key) =>
          parseVerification(await readDocument(store, key, signal)),
        );
        const [newest] = found.filter((one) => one !== undefined).sort((a, b) => (a.at < b.at ? 1 : -1));
        if (newest) return newest;
      }
      return undefined;
    },
  };
  return catalog;
}

interface Found {
  readonly manifest: Manifest;
  readonly hash: string;
}

async function readDocument(store: Store, key: string, signal: AbortSignal): Promise<Buffer> {
  const stream = await store.get(key, signal);
  let bytes = 0;
  return buffer(
    (async function* () {
      for await (const chunk of stream) {
        bytes += chunk.length;
        if (bytes > manifestBytes) throw new LifeboatError('ARTIFACT_CORRUPT', `${key} is too large`);
        yield chunk;
      }
    })(),
  );
}

/** A manifest speaks for the folder it lies in: one that was copied or renamed there does not. */
function checkPlace(manifest: Manifest, { address, id, key }: Place): void {
  const isRight =
    manifest.id === id &&
    manifest.stack === address.stack &&
    manifest.service === address.service &&
    manifest.source === address.source;
  if (isRight) return;
  throw new LifeboatError('ARTIFACT_CORRUPT', `the manifest ${key} belongs to ${backupPrefix(manifest, manifest.id)}`, {
    hint: 'somebody moved or copied a backup by hand; move it back',
  });
}

/** Undefined for what a newer Lifeboat wrote, or what is damaged: the one before it still holds. */
function parseVerification(bytes: Buffer): Verification | undefined {
  try {
    return Verification.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}

async function keysBelow(store: Store, prefix: string, signal: AbortSignal): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix, signal)) keys.push(key);
  return keys;
}

function notFound(id: string, location: string): LifeboatError {
  return new LifeboatError('BACKUP_NOT_FOUND', `there is no backup ${id} in ${location}`, {
    hint: '`lifeboat list` shows what is there',
  });
}

function ambiguous(id: string, places: readonly Place[]): LifeboatError {
  const names = places.map(({ address, id: whole }) => `${whole} (${address.stack} ${sourceName(address)})`).join(', ');
  return new LifeboatError('USAGE', `${places.length} backups are called ${id}: ${names}`, {
    hint: 'name one by its whole id',
  });
}
