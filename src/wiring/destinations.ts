import { createCatalog } from '../catalog/catalog.ts';
import type { Destination as Configured } from '../config/destinations.ts';
import type { Settings } from '../config/settings.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Destination } from '../runs/context.ts';
import { openStore } from '../stores/index.ts';
import { openMarked } from '../stores/marker.ts';
import { version } from '../version.ts';
import { type KnownDestinations, readKnownDestinations } from './known-destinations.ts';

/** Opens every configured destination. Rejects with the first that is not there, full, or not ours. */
export async function openDestinations(settings: Settings, signal: AbortSignal): Promise<readonly Destination[]> {
  if (settings.destinations.length === 0) {
    throw new LifeboatError('CONFIG_INVALID', 'no destination is configured', {
      hint: 'set LIFEBOAT_DEST_LOCAL_URL=file:///backups',
    });
  }
  const known = await readKnownDestinations(settings.dataDir);
  return Promise.all(settings.destinations.map((destination) => open(destination, known, signal)));
}

async function open(configured: Configured, known: KnownDestinations, signal: AbortSignal): Promise<Destination> {
  const { name, url, login, scheme } = configured;
  const credentials = login && {
    accessKeyId: login.accessKeyId.reveal(),
    secretAccessKey: login.secretAccessKey.reveal(),
    ...(login.sessionToken ? { sessionToken: login.sessionToken.reveal() } : {}),
  };
  const store = await openStore(url, credentials ? { credentials } : {});
  const { marker } = await openMarked(store, { known: known.has(url), lifeboat: version }, signal);
  await known.add(url, marker.repository);
  return { name, store, catalog: createCatalog(store), isLocal: scheme === 'file' };
}
