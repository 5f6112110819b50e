import { LifeboatError } from './errors.ts';

const prefix = 'whsec_';
const shortestKey = 24;
const longestKey = 64;

/** A signing key of Standard Webhooks. */
export type SigningKey = Buffer;

/**
 * The keys in a secret: `whsec_` and 24 to 64 bytes in base64; the prefix may be missing. Several, separated by spaces or
 * commas, all sign: while a secret is replaced, receivers with the old and with the new one both accept. Throws
 * CONFIG_INVALID without repeating the secret.
 */
export function signingKeys(secret: string): readonly SigningKey[] {
  const parts = partsOf(secret);
  if (parts.length === 0) throw invalid('is empty');
  return parts.map(keyOf);
}

/** Every text that gives a key away: with its prefix and without. */
export function secretsIn(secret: string): readonly string[] {
  return partsOf(secret).flatMap((part) => [part, withoutPrefix(part)]);
}

// --- utils ---

function partsOf(secret: string): readonly string[] {
  return secret.split(/[\s,]+/).filter((part) => part !== '');
}

function withoutPrefix(part: string): string {
  return part.startsWith(prefix) ? part.slice(prefix.length) : part;
}

function keyOf(part: string): SigningKey {
  const text = withoutPrefix(part);
  const key = Buffer.from(text, 'base64');
  // Buffer skips what is not base64; a receiver's library does not.
  if (key.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) throw invalid('is not base64');
  if (key.length < shortestKey || key.length > longestKey) {
    throw invalid(`holds ${key.length} bytes instead of ${shortestKey} to ${longestKey}`);
  }
  return key;
}

function invalid(why: string): LifeboatError {
  return new LifeboatError('CONFIG_INVALID', `the signing secret (not shown) ${why}`, {
    hint: 'make one with: echo "whsec_$(openssl rand -base64 32)"',
  });
}
