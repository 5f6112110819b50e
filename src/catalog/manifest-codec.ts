import { createHash } from 'node:crypto';
import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { Manifest, manifestFormat } from '../domain/manifest.ts';

/** The bytes of a manifest: JSON with sorted keys, two spaces, a newline at the end. The same manifest, the same bytes. */
export function encodeManifest(manifest: Manifest): Buffer {
  return Buffer.from(`${JSON.stringify(sorted(Manifest.parse(manifest)), null, 2)}\n`);
}

/** What the next manifest of the same source names as `previous`; also tells a stored one from any other. */
export function manifestHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Rejects ARTIFACT_CORRUPT, naming where it lies and what is wrong with it. */
export function decodeManifest(bytes: Uint8Array, where: string): Manifest {
  const damaged = (why: string, cause: unknown, hint = 'verify this destination; its other backups are not affected') =>
    new LifeboatError('ARTIFACT_CORRUPT', `the manifest ${where} cannot be read: ${why}`, { hint, cause });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw damaged('it is no JSON', error);
  }
  const format = z.looseObject({ format: z.number() }).safeParse(json);
  if (format.success && format.data.format > manifestFormat) {
    const words = `it has format ${format.data.format}, this Lifeboat reads up to ${manifestFormat}`;
    throw damaged(words, undefined, 'use the Lifeboat that wrote it, or a newer one');
  }
  const manifest = Manifest.safeParse(json);
  if (!manifest.success) throw damaged(z.prettifyError(manifest.error).replaceAll(/\s*\n\s*/g, ' '), manifest.error);
  return manifest.data;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, below]) => [key, sorted(below)]));
}
