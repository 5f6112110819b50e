import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { LifeboatError } from '../domain/errors.ts';
import type { Checks, S3Wire } from './s3-wire.ts';

/** Whether the server verifies CRC32 checksums, by setting or by trial. */
export type ChecksumMode = 'auto' | 'crc32' | 'none';

const probeKey = '.lifeboat-probe';

/**
 * Finds out whether the server really looks at checksums: it must refuse an object whose checksum is wrong, which leaves
 * nothing behind. Whoever ignores it, does not know it or stumbles over it is read back instead. Undefined when the
 * server could not be asked.
 */
export async function probeChecksums(wire: S3Wire, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const wrong = { crc32: encodeCrc32(crc32('something else')) };
    await wire.put(probeKey, Buffer.from('probe'), { ...wrong, ifAbsent: false, token: 'probe', once: true }, signal);
  } catch (error) {
    if (signal.aborted) throw error;
    const { name, status } = error instanceof LifeboatError ? error.context : {};
    if (/Digest|Checksum/.test(String(name))) return true;
    // Anything else than a refusal of the header will be told by the put that follows.
    return status === 400 || status === 501 ? false : undefined;
  }
  await wire.remove(probeKey, signal);
  return false;
}

/** What the server is asked to check: CRC32 where it knows it, else the MD5 every S3 server ever knew. */
export function checksFor(bytes: Uint8Array, usesCrc32: boolean): Checks {
  return usesCrc32 ? { crc32: encodeCrc32(crc32(bytes)) } : { md5: createHash('md5').update(bytes).digest('base64') };
}

/** The checksum a server shows for an object of several parts: over those of the parts. */
export function compositeCrc32(parts: readonly string[]): string {
  const all = Buffer.concat(parts.map((part) => Buffer.from(part, 'base64')));
  return `${encodeCrc32(crc32(all))}-${parts.length}`;
}

export function encodeCrc32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes.toString('base64');
}
