import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Store } from '../stores/store.ts';
import { encodeLease, type LeaseFile, type ListedLease, leaseKey, listLeases } from './lease-file.ts';

export interface LeaseOptions {
  /** Who we are, for the one who is refused: `lifeboat on nas (container 3f2a…)`. */
  readonly owner: string;
  /** What tells this lease from any other; random when it is not given. */
  readonly holder?: string;
  /** A lease that was not renewed for so long has ended. Renewed three times as often. */
  readonly ttlMs?: number;
  /** Holders that were our own dead predecessors: their leases end at once. The caller knows that no twin of us runs. */
  readonly former?: readonly string[];
  readonly random?: () => number;
}

/** The right to write to a destination. Give it back with `release`, or by `await using`. */
export interface Lease extends AsyncDisposable {
  /** A successor names it as `former`. */
  readonly holder: string;
  /** Owners of leases that had ended, or were our own: they were removed. */
  readonly ended: readonly string[];
  /** Fires with LOCKED when the lease could not be renewed in time: stop writing at once. */
  readonly lost: AbortSignal;
  /** Never rejects: a lease that cannot be removed ends by itself. */
  release(): Promise<void>;
}

const defaultTtlMs = 120_000;
/** A lease so young may be one of two that were laid at the same moment and both give way. */
const freshMs = 5_000;
const attempts = 3;
/** Short: what ends a process waits for it, and a lease that stays ends by itself. */
const removeMs = 3_000;

/**
 * Takes the lease of a destination, or rejects with LOCKED naming who holds it. Every writer lays down its own object,
 * then looks for others: of two that come at once at least one sees the other, on any store that lists what was put.
 * Age is measured between two objects' times as the store gives them, so the clocks of the writers do not matter.
 */
export async function acquireLease(store: Store, options: LeaseOptions, signal: AbortSignal): Promise<Lease> {
  const { holder = randomUUID(), random = Math.random } = options;
  for (let attempt = 1; ; attempt++) {
    const lease: LeaseFile = {
      format: 1,
      holder,
      owner: options.owner,
      since: new Date().toISOString(),
      ttlMs: options.ttlMs ?? defaultTtlMs,
    };
    const laidAt = now();
    const { alive, ended } = await lay(store, lease, options.former ?? [], signal);
    const [rival] = alive;
    if (rival === undefined) return keep(store, lease, laidAt, ended);
    await remove(store, lease.holder);
    if (attempt === attempts || rival.ageMs > freshMs) throw locked(store, rival);
    await wait(random() * 1000, undefined, { signal }).catch((error) => {
      throw asLifeboatError(error);
    });
  }
}

/** Puts our lease and tells the others apart; dead ones are removed. */
async function lay(store: Store, lease: LeaseFile, former: readonly string[], signal: AbortSignal) {
  try {
    await store.put(leaseKey(lease.holder), encodeLease(lease), {}, signal);
    const all = await listLeases(store, signal);
    const mine = all.find(({ holder }) => holder === lease.holder);
    if (mine === undefined) {
      throw new LifeboatError(
        'STORE_UNAVAILABLE',
        `${store.location} does not list the lease that was just put there`,
        {
          retryable: true,
        },
      );
    }
    const others = all
      .filter((other) => other !== mine)
      .map((other) => ({ ...other, ageMs: mine.renewedAt.getTime() - other.renewedAt.getTime() }));
    const isDead = (other: ListedLease & { ageMs: number }) =>
      other.ageMs > other.ttlMs || former.includes(other.holder);
    const dead = others.filter(isDead);
    for (const { holder } of dead) await remove(store, holder);
    return { alive: others.filter((other) => !isDead(other)), ended: dead.map(({ owner }) => owner) };
  } catch (error) {
    await remove(store, lease.holder);
    throw error;
  }
}

function keep(store: Store, lease: LeaseFile, laidAt: Clock, ended: readonly string[]): Lease {
  const lost = new AbortController();
  const stop = new AbortController();
  const beating = beat(store, lease, laidAt, stop.signal).catch((error) => lost.abort(error));
  const release = async (): Promise<void> => {
    stop.abort();
    await beating;
    await remove(store, lease.holder);
  };
  return { holder: lease.holder, ended, lost: lost.signal, release, [Symbol.asyncDispose]: release };
}

/** Renews the lease until it is stopped; rejects when it ended before it could be renewed. */
async function beat(store: Store, lease: LeaseFile, laidAt: Clock, stop: AbortSignal): Promise<void> {
  let renewed = laidAt;
  let pauseMs = lease.ttlMs / 3;
  let failure: unknown;
  while (await sleepUnlessStopped(pauseMs, stop)) {
    // Also after a sleep of the whole machine: who wakes up late must not renew what others took for dead.
    const leftMs = lease.ttlMs - since(renewed);
    if (leftMs <= 0) throw outlived(store, lease, failure);
    const started = now();
    // No longer than the lease lasts: others may take it from then on.
    const patienceMs = Math.ceil(Math.min(leftMs, lease.ttlMs / 2));
    const until = AbortSignal.any([stop, AbortSignal.timeout(patienceMs)]);
    try {
      await store.put(leaseKey(lease.holder), encodeLease(lease), {}, until);
      renewed = started;
      pauseMs = lease.ttlMs / 3;
    } catch (error) {
      if (stop.aborted) return;
      failure = error;
      pauseMs = Math.min(lease.ttlMs / 20, Math.max(0, lease.ttlMs - since(renewed)));
    }
  }
}

async function sleepUnlessStopped(ms: number, stop: AbortSignal): Promise<boolean> {
  return wait(ms, true, { signal: stop, ref: false }).catch(() => false);
}

/** Wall and monotonic time: a suspended machine stops the one, a set clock moves the other. */
interface Clock {
  readonly wall: number;
  readonly monotonic: number;
}

function now(): Clock {
  return { wall: Date.now(), monotonic: performance.now() };
}

function since({ wall, monotonic }: Clock): number {
  return Math.max(Date.now() - wall, performance.now() - monotonic);
}

async function remove(store: Store, holder: string): Promise<void> {
  // It ends by itself, and a failure to tidy up must not hide why we tidy up.
  await store.remove(leaseKey(holder), AbortSignal.timeout(removeMs)).catch(() => undefined);
}

function locked(store: Store, rival: ListedLease): LifeboatError {
  const until = new Date(rival.renewedAt.getTime() + rival.ttlMs).toISOString();
  return new LifeboatError(
    'LOCKED',
    `${store.location} is being written to by ${rival.owner} since ${rival.since}; its lease lasts until ${until}`,
    {
      hint: 'while it lives it renews the lease: try again when it has finished. If it was killed, the lease ends by itself at that time. Two sidecars that write at the same hours need a folder or prefix each',
      retryable: true,
      context: { holder: rival.holder, owner: rival.owner, since: rival.since, until },
    },
  );
}

function outlived(store: Store, lease: LeaseFile, cause?: unknown): LifeboatError {
  return new LifeboatError(
    'LOCKED',
    `the lease on ${store.location} ended: it could not be renewed for ${lease.ttlMs} ms`,
    {
      hint: 'another Lifeboat may be writing there by now; the run was stopped and can be started again',
      retryable: true,
      cause,
    },
  );
}
