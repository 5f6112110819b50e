import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createCatalog } from '../catalog/catalog.ts';
import { acquireLease, type Lease } from '../catalog/lease.ts';
import { createLeaseKeeper, leased } from '../catalog/lease-keeper.ts';
import { writeRecovery } from '../catalog/recovery.ts';
import type { Destination as Configured } from '../config/destinations.ts';
import type { Settings } from '../config/settings.ts';
import { deadline } from '../domain/abort.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Destination } from '../runs/context.ts';
import { openStore } from '../stores/index.ts';
import { openMarked } from '../stores/marker.ts';
import type { Store } from '../stores/store.ts';
import { version } from '../version.ts';
import { type LazyStore, lazyStore } from './lazy-store.ts';
import { type MemoryFile, memoryFile } from './memory-file.ts';

/** A destination that is opened when it is first used. */
export interface LazyDestination extends Destination {
  readonly store: LazyStore;
}

export interface DestinationParts {
  readonly settings: Settings;
  /** Who we are, for whoever finds our lease. */
  owner(): string;
  /** Hears what a person should know of a destination. */
  tell(message: string): void;
}

const openingMs = 60_000;

/** Every configured destination. None is touched yet, so that one that is away stands in nobody's way. */
export function createDestinations({ settings, owner, tell }: DestinationParts): readonly LazyDestination[] {
  // Only memories: losing them makes the next start trust an empty destination once more, and wait for leases to end.
  const repositories = memoryFile<string>(join(settings.dataDir, 'destinations.json'));
  const holders = memoryFile<readonly string[]>(join(settings.dataDir, 'leases.json'));
  return settings.destinations.map((configured) => {
    const { name, scheme, url, isRequired } = configured;
    const say = (message: string) => tell(`destination ${name}: ${message}`);
    const store = lazyStore({
      driver: scheme,
      location: url,
      open: () => open(configured, repositories, say),
      check: async (opened, signal) => {
        // An empty folder where a used destination was is a disk that was unmounted meanwhile.
        await openMarked(opened, { known: true, lifeboat: version }, AbortSignal.any([signal, tooLate(url)]));
      },
    });
    const keeper = createLeaseKeeper((signal) => lay(store, url, holders, owner(), say, signal));
    const held = leased(store, keeper);
    const isLocal = scheme === 'file';
    return { name, store: held, catalog: createCatalog(held), isLocal, isRequired, hold: keeper.hold };
  });
}

// --- utils ---

async function open(
  { url, login }: Configured,
  repositories: MemoryFile<string>,
  say: (message: string) => void,
): Promise<Store> {
  const credentials = login && {
    accessKeyId: login.accessKeyId.reveal(),
    secretAccessKey: login.secretAccessKey.reveal(),
    ...(login.sessionToken ? { sessionToken: login.sessionToken.reveal() } : {}),
  };
  const store = await openStore(url, credentials ? { credentials } : {});
  const signal = tooLate(url);
  const before = await repositories.get(url);
  const { marker, created } = await openMarked(store, { known: before !== undefined, lifeboat: version }, signal);
  if (created) {
    say(`${store.location} is new: its history starts here`);
    // Every backup writes it anew; without one there is nothing to recover.
    await writeRecovery(store, [], new Date(), signal).catch(() => undefined);
  } else if (before !== undefined && before !== marker.repository) {
    say(`${store.location} is another one than before: another disk, or another bucket? Its own history goes on`);
  }
  await repositories.set(url, marker.repository);
  return store;
}

/** Our own process is the only one that uses this data folder, so a lease that it remembers is of a dead predecessor. */
async function lay(
  store: LazyStore,
  url: string,
  holders: MemoryFile<readonly string[]>,
  owner: string,
  say: (message: string) => void,
  signal: AbortSignal,
): Promise<Lease> {
  const intime = AbortSignal.any([signal, tooLate(url)]);
  // First: a lease laid on an empty folder where a disk should be mounted would be a file on the wrong disk.
  await store.ready(intime);
  const former = (await holders.get(url)) ?? [];
  const holder = randomUUID();
  // A data folder that is full costs at most the wait for a lease to end.
  await holders.set(url, [...former.slice(-7), holder]).catch(() => undefined);
  const lease = await acquireLease(store, { owner, holder, former }, intime);
  await holders.set(url, [holder]).catch(() => undefined);
  for (const dead of lease.ended) say(`took over the lease of ${dead}, who did not give it back`);
  return lease;
}

function tooLate(url: string): AbortSignal {
  return deadline(
    openingMs,
    () =>
      new LifeboatError('STORE_UNAVAILABLE', `${url} did not answer within ${openingMs / 1000} s`, {
        hint: 'is the endpoint right, and reachable from this container? A network drive may hang: look at its mount',
        retryable: true,
      }),
  );
}
