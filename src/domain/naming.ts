import { LifeboatError } from './errors.ts';
import type { SourceAddress } from './types.ts';

/** `20261121-074109-k3f9a2`: UTC time, so that names sort by age, and a random tail, so that they never collide. */
export type BackupId = string;

const tailAlphabet = '23456789abcdefghjkmnpqrstuvwxyz';
const idPattern = /^\d{8}-\d{6}-[2-9a-hjkmnp-z]{6}$/;

/** A fresh id for a backup, a set or a run started at `now`. */
export function newId(now: Date): BackupId {
  const stamp = now
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/^(\d{8})T(\d{6}).*/, '$1-$2');
  // The global one: importing node:crypto would cost every command 5 ms.
  const tail = Array.from(
    crypto.getRandomValues(new Uint8Array(6)),
    (byte) => tailAlphabet[byte % tailAlphabet.length],
  ).join('');
  return `${stamp}-${tail}`;
}

/** What people see and type: the random tail of an id. */
export function shortId(id: BackupId): string {
  return id.slice(-6);
}

export function isBackupId(text: string): boolean {
  return idPattern.test(text);
}

/** Longer ones, with what is added to them, may not be a file's name any more. */
export const segmentLimit = 200;

/** The name in characters that no file system, URL or shell can misread; reversible by `decodeURIComponent`. */
export function encodedName(name: string): string {
  return encodeURIComponent(name)
    .replace(/[!'()*~]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/^[.-]/, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** One path segment, the encoded name. Throws USAGE for one that is too long. */
export function segment(name: string): string {
  const encoded = encodedName(name);
  if (encoded === '' || encoded.length > segmentLimit) {
    throw new LifeboatError('USAGE', `"${name.slice(0, 40)}" cannot be used as a name in a destination`, {
      hint: 'names must be 1 to 200 characters long after URL encoding',
    });
  }
  return encoded;
}

/** The folder of one backup inside a destination, without a trailing slash. */
export function backupPrefix(address: SourceAddress, id: BackupId): string {
  return `${sourcePrefix(address)}/${id}`;
}

/** The folder of all backups of one source inside a destination. */
export function sourcePrefix(address: SourceAddress): string {
  return [address.stack, address.service, address.source].map(segment).join('/');
}

/** A word that a POSIX shell reads as exactly this text. */
export function shellQuote(word: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
