import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { isLifeboatError } from '../domain/errors.ts';
import type { Store, StoredObject } from '../stores/store.ts';

const folder = '.leases/';
const extension = '.json';
/** For a lease that cannot be read: somebody is writing it, or did. */
const unreadableTtlMs = 600_000;

const LeaseFile = z.object({
  format: z.literal(1),
  holder: z.string(),
  owner: z.string(),
  since: z.iso.datetime(),
  ttlMs: z.number().positive(),
});
export type LeaseFile = z.infer<typeof LeaseFile>;

/** A lease as it lies in the destination, dead or alive. */
export interface ListedLease extends Omit<LeaseFile, 'format'> {
  /** By the store's clock. */
  readonly renewedAt: Date;
}

export function leaseKey(holder: string): string {
  return `${folder}${holder}${extension}`;
}

export function encodeLease(lease: LeaseFile): Buffer {
  return Buffer.from(`${JSON.stringify(lease, null, 2)}\n`);
}

/** All leases of a destination. */
export async function listLeases(store: Store, signal: AbortSignal): Promise<ListedLease[]> {
  const leases: ListedLease[] = [];
  for await (const object of store.list(folder, signal)) {
    // Trial writes lie here as well.
    if (!object.key.endsWith(extension)) continue;
    const lease = await readLease(store, object, signal);
    if (lease) leases.push({ ...lease, renewedAt: object.modifiedAt });
  }
  return leases;
}

async function readLease(
  store: Store,
  object: StoredObject,
  signal: AbortSignal,
): Promise<Omit<LeaseFile, 'format'> | undefined> {
  let text: string;
  try {
    text = String(await buffer(await store.get(object.key, signal)));
  } catch (error) {
    // Released since it was listed.
    if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return undefined;
    throw error;
  }
  const lease = LeaseFile.safeParse(jsonOf(text));
  if (lease.success) return lease.data;
  return {
    holder: object.key.slice(folder.length, -extension.length),
    owner: `an unknown writer (${object.key})`,
    since: object.modifiedAt.toISOString(),
    ttlMs: unreadableTtlMs,
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Unreadable is unreadable; the schema says so.
    return undefined;
  }
}
