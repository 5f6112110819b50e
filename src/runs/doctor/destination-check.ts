import { buffer } from 'node:stream/consumers';
import prettyBytes from 'pretty-bytes';
import type { Check } from '../../domain/check.ts';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { newId } from '../../domain/naming.ts';
import type { Store } from '../../stores/store.ts';
import type { Destination } from '../context.ts';

/** A destination that can say whether it can be used. */
export interface OpenableDestination extends Destination {
  readonly store: Store & { ready(signal: AbortSignal): Promise<void> };
}

const patienceMs = 30_000;
/** Servers of object storage refuse requests whose time is off by a quarter of an hour. */
const skewMs = 60_000;
const leastRoom = 1_000_000_000;

/** Whether a destination is ours, takes, gives back and removes an object, has room, and has the time we have. */
export async function checkDestination(
  { name, store, catalog, isLocal }: OpenableDestination,
  now: () => Date,
  outer: AbortSignal,
): Promise<readonly Check[]> {
  const base = { category: 'destinations', name };
  const signal = AbortSignal.any([outer, AbortSignal.timeout(patienceMs)]);
  try {
    await store.ready(signal);
    const probed = await within(probe(store, now, signal), signal);
    const checks: Check[] = [
      { ...base, status: 'pass', message: `${store.location} takes, gives back and removes an object` },
    ];
    if (!isLocal) checks.push(clockCheck(name, probed.skewMs));
    const free = await within(store.freeBytes(signal), signal);
    if (free === undefined) return checks;
    const newest = await within(catalog.newest({}, signal), signal);
    const stored = newest.flatMap(({ artifacts }) => artifacts).reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    return [...checks, roomCheck(name, free, stored)];
  } catch (thrown) {
    outer.throwIfAborted();
    const { message, hint } = asLifeboatError(signal.aborted ? late(store) : thrown);
    return [{ ...base, status: 'fail', message, hint }];
  }
}

// --- utils ---

/** Writes, reads, lists and removes a small object where no backup lies; resolves with how far its clock is ahead. */
async function probe(store: Store, now: () => Date, signal: AbortSignal): Promise<{ readonly skewMs: number }> {
  const key = `.leases/doctor-${newId(now())}`;
  const body = Buffer.from(key);
  const before = now().getTime();
  await store.put(key, body, {}, signal);
  try {
    const found = await buffer(await store.get(key, signal));
    if (!found.equals(body))
      throw new LifeboatError('ARTIFACT_CORRUPT', `${store.location} gives back other bytes than it was given`);
    for await (const { key: listed, modifiedAt } of store.list(key, signal)) {
      if (listed === key) return { skewMs: modifiedAt.getTime() - (before + now().getTime()) / 2 };
    }
    throw new LifeboatError('STORE_UNAVAILABLE', `${store.location} does not list what was just written`);
  } finally {
    await store.remove(key, signal);
  }
}

function clockCheck(name: string, skew: number): Check {
  const base = { category: 'destinations', name: `${name} clock` };
  const seconds = Math.round(Math.abs(skew) / 1000);
  if (Math.abs(skew) <= skewMs) return { ...base, status: 'pass', message: 'its time is ours' };
  const message = `its time is ${seconds} s ${skew > 0 ? 'ahead of' : 'behind'} ours`;
  return { ...base, status: 'warn', message, hint: 'set the clock of this host (timedatectl), or of that server' };
}

function roomCheck(name: string, free: number, newest: number): Check {
  const base = { category: 'destinations', name: `${name} room` };
  const room = `${prettyBytes(free)} free, the newest backups take ${prettyBytes(newest)}`;
  if (free >= Math.max(leastRoom, newest * 1.5)) return { ...base, status: 'pass', message: room };
  return { ...base, status: 'warn', message: room, hint: 'remove old backups or make the disk larger' };
}

/** Not every driver call takes the signal. */
function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      if (signal.aborted) reject(signal.reason);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);
}

function late(store: Store): LifeboatError {
  return new LifeboatError('STORE_UNAVAILABLE', `${store.location} did not answer within ${patienceMs / 1000} s`, {
    hint: 'is the address right, and can this container reach it?',
  });
}
