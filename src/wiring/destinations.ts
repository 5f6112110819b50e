import { createCatalog } from '../catalog/catalog.ts';
import type { Destination as Configured } from '../config/destinations.ts';
import type { Settings } from '../config/settings.ts';
import type { Destination } from '../runs/context.ts';
import { openStore } from '../stores/index.ts';
import { openMarked } from '../stores/marker.ts';
import type { Store } from '../stores/store.ts';
import { version } from '../version.ts';
import { type KnownDestinations, readKnownDestinations } from './known-destinations.ts';
import { type LazyStore, lazyStore } from './lazy-store.ts';

/** A destination that is opened when it is first used. */
export interface LazyDestination extends Destination {
  readonly store: LazyStore;
}

const openingMs = 60_000;

/** Every configured destination. None is touched yet, so that one that is away stands in nobody's way. */
export function createDestinations(settings: Settings): readonly LazyDestination[] {
  const known = readKnownDestinations(settings.dataDir);
  return settings.destinations.map((configured) => {
    const store = lazyStore({
      driver: configured.scheme,
      location: configured.url,
      open: () => open(configured, known),
      check: async (opened) => {
        // An empty folder where a used destination was is a disk that was unmounted meanwhile.
        await openMarked(opened, { known: true, lifeboat: version }, AbortSignal.timeout(openingMs));
      },
    });
    const { name, scheme, isRequired } = configured;
    return { name, store, catalog: createCatalog(store), isLocal: scheme === 'file', isRequired };
  });
}

async function open({ url, login }: Configured, known: KnownDestinations): Promise<Store> {
  const credentials = login && {
    accessKeyId: login.accessKeyId.reveal(),
    secretAccessKey: login.secretAccessKey.reveal(),
    ...(login.sessionToken ? { sessionToken: login.sessionToken.reveal() } : {}),
  };
  const store = await openStore(url, credentials ? { credentials } : {});
  const options = { known: await known.has(url), lifeboat: version };
  const { marker } = await openMarked(store, options, AbortSignal.timeout(openingMs));
  await known.add(url, marker.repository);
  return store;
}
