import { type BackupId, isBackupId, segment } from '../domain/naming.ts';
import type { SourceAddress } from '../domain/types.ts';
import { manifestFile, type Store } from '../stores/store.ts';

/** Which backups; what is absent matches all. */
export type BackupQuery = Partial<SourceAddress>;

/** A place in the destination where a backup's folder is. */
export interface Place {
  readonly address: SourceAddress;
  readonly id: BackupId;
  readonly key: string;
}

/** Finds backup folders by their names alone, without reading what lies in them. */
export async function placesOf(store: Store, query: BackupQuery, signal: AbortSignal): Promise<Place[]> {
  const below = async (prefix: string, wanted: string | undefined): Promise<string[]> => {
    const names = wanted === undefined ? await store.folders(prefix, signal) : [segment(wanted)];
    return names.filter(isSegment);
  };
  const places: Place[] = [];
  for (const stack of await below('', query.stack)) {
    for (const service of await below(`${stack}/`, query.service)) {
      for (const source of await below(`${stack}/${service}/`, query.source)) {
        const folder = `${stack}/${service}/${source}`;
        const address = {
          stack: decodeURIComponent(stack),
          service: decodeURIComponent(service),
          source: decodeURIComponent(source),
        };
        for (const id of (await store.folders(`${folder}/`, signal)).filter(isBackupId)) {
          places.push({ address, id, key: `${folder}/${id}/${manifestFile}` });
        }
      }
    }
  }
  return places;
}

/** Folders that we would never have named so are not ours: `.restic`, `.leases`, `@eaDir`, `System Volume Information`. */
function isSegment(name: string): boolean {
  try {
    return segment(decodeURIComponent(name)) === name;
  } catch {
    return false;
  }
}

/** Newest first; of one age, in the order of their names. */
export function byAge(a: Place, b: Place): number {
  return a.id < b.id ? 1 : a.id > b.id ? -1 : a.key < b.key ? -1 : 1;
}
