import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-stream';
import { decodeManifest } from '../../catalog/manifest-codec.ts';
import { recoveryFile, renderRecovery } from '../../catalog/recovery.ts';
import { verified } from '../../codecs/digest.ts';
import { asLifeboatError, type LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { backupPrefix, shortId } from '../../domain/naming.ts';
import { markerFile } from '../../stores/marker.ts';
import { manifestFile, type Store } from '../../stores/store.ts';
import type { Destination } from '../context.ts';
import { isOfTheCopy, named } from './copy-failure.ts';
import type { ExportContext } from './export.ts';
import { metered } from './metered.ts';

/** One backup of a bundle, and where it can be read. */
export interface Place {
  readonly manifest: Manifest;
  readonly copies: readonly Destination[];
}

/** A tar that can be written anew when a copy turns out to be of no use. */
export interface Bundle {
  read(signal: AbortSignal): Readable;
  /** Where it was read from. */
  taken(): readonly string[];
  /** Never reads the copy again that failed; says so, or undefined when there is no other. */
  passBy(error: unknown): string | undefined;
  /** The error with the place where it happened. */
  named(error: unknown): LifeboatError;
}

/**
 * The layout of a destination with nothing but these backups: unpacked into an empty folder it is one. Manifests come
 * after their artifacts, so that a bundle that was cut holds no backup that is not whole.
 */
export function bundleOf(places: readonly Place[], context: ExportContext): Bundle {
  const bad = new Set<string>();
  let current: { readonly place: Place; readonly copy: Destination } | undefined;
  const keyOf = ({ manifest }: Place, { name }: Destination) => JSON.stringify([manifest.id, name]);
  const copyOf = (place: Place) => place.copies.find((copy) => !bad.has(keyOf(place, copy)));

  async function* entries(signal: AbortSignal): AsyncGenerator<Entry> {
    const page = renderRecovery(
      places.map(({ manifest }) => manifest),
      'this bundle',
      context.now(),
    );
    yield small(recoveryFile, Buffer.from(page), context.now());
    const [marked] = places.flatMap((place) => copyOf(place) ?? []);
    if (marked) yield small(markerFile, await whole(marked.store, markerFile, signal), context.now());
    for (const place of places) {
      const { manifest } = place;
      const copy = copyOf(place);
      if (!copy) continue; // `passBy` leaves one of each.
      current = { place, copy };
      const prefix = backupPrefix(manifest, manifest.id);
      const at = new Date(manifest.finishedAt);
      for (const { file, storedBytes, storedSha256 } of manifest.artifacts) {
        const stored = metered(await copy.store.get(`${prefix}/${file}`, signal), context.onRead);
        const body = verified(stored, { bytes: storedBytes, sha256: storedSha256 }, file);
        yield { name: `${prefix}/${file}`, size: storedBytes, mtime: at, body };
      }
      const written = await whole(copy.store, `${prefix}/${manifestFile}`, signal);
      decodeManifest(written, `${prefix}/${manifestFile}`);
      yield small(`${prefix}/${manifestFile}`, written, at);
    }
    current = undefined;
  }

  return {
    read: (signal) => tarOf(entries(signal), signal),
    taken: () => [...new Set(places.flatMap((place) => copyOf(place)?.name ?? []))],
    passBy: (thrown) => {
      if (!current || !isOfTheCopy(thrown)) return undefined;
      const { place, copy } = current;
      bad.add(keyOf(place, copy));
      const next = copyOf(place);
      if (!next) return undefined;
      return `${copy.name}: ${asLifeboatError(thrown).message}; taking the copy of ${shortId(place.manifest.id)} in ${next.name}`;
    },
    named: (thrown) => {
      const error = asLifeboatError(thrown);
      return current && isOfTheCopy(error) ? named(current.copy, error) : error;
    },
  };
}

// --- utils ---

interface Entry {
  readonly name: string;
  readonly size: number;
  readonly mtime: Date;
  readonly body: Readable;
}

/** Dumps hold whatever the databases hold: unpacked, they are for their owner. */
const fileMode = 0o600;

/** Entries as a tar, one after the other as they are read; sizes above 8 GiB are written as GNU tar does. */
export function tarOf(entries: AsyncIterable<Entry>, signal: AbortSignal): Readable {
  const tar = pack();
  const fill = async () => {
    for await (const { body, ...header } of entries) {
      await pipeline(body, tar.entry({ ...header, mode: fileMode }), { signal });
    }
    tar.finalize();
  };
  fill().catch((error: unknown) => tar.destroy(error instanceof Error ? error : new Error(String(error))));
  return Readable.from(tar, { objectMode: false });
}

function small(name: string, bytes: Buffer, mtime: Date): Entry {
  return { name, size: bytes.length, mtime, body: Readable.from([bytes], { objectMode: false }) };
}

async function whole(store: Store, key: string, signal: AbortSignal): Promise<Buffer> {
  return buffer(await store.get(key, signal));
}
