import { randomBytes } from 'node:crypto';
import { LifeboatError } from '../domain/errors.ts';

const temporary = /^\.lifeboat-[0-9a-f]{16}\.tmp$/;
const partial = /^\..+\.partial$/;
const keyBytes = 900;
const nameBytes = 255;

/** A name for a file that is being written; never a key. */
export function temporaryName(): string {
  return `.lifeboat-${randomBytes(8).toString('hex')}.tmp`;
}

/** The name of a backup's folder while it is being written; never part of a key. */
export function partialName(name: string): string {
  return `.${name}.partial`;
}

export function isTemporary(name: string): boolean {
  return temporary.test(name);
}

export function isPartial(name: string): boolean {
  return partial.test(name);
}

/**
 * Refuses what is no key in every store: a key that could leave the destination, that two stores would read differently,
 * or that looks like an unfinished file.
 */
export function checkKey(key: string): void {
  const flaw = flawOf(key);
  if (flaw) throw new LifeboatError('USAGE', `"${printable(key)}" cannot be an object's name: ${flaw}`);
}

/** A prefix is the beginning of a key: empty, ending with a slash or in the middle of a name. */
export function checkPrefix(prefix: string): void {
  if (prefix !== '') checkKey(prefix.endsWith('/') ? prefix.slice(0, -1) : prefix);
}

function flawOf(key: string): string | undefined {
  if (Buffer.byteLength(key) > keyBytes) return `it is longer than ${keyBytes} bytes`;
  if (/\p{Cc}/u.test(key)) return 'it holds control characters';
  if (!key.isWellFormed()) return 'it is no valid text';
  for (const name of key.split('/')) {
    if (name === '') return 'it is empty, absolute or holds an empty name';
    if (name === '.' || name === '..') return 'it holds a relative name';
    if (Buffer.byteLength(name) > nameBytes) return `it holds a name longer than ${nameBytes} bytes`;
    if (isTemporary(name) || isPartial(name)) return 'it looks like an unfinished file';
  }
  return undefined;
}

function printable(key: string): string {
  return key.slice(0, 80).replace(/\p{Cc}/gu, '?');
}
