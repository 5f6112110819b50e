import { readFileSync, statSync } from 'node:fs';

/** What the configuration needs of a file system; sync, since nothing else can run before it was read. */
export interface Disk {
  readonly uid: number;
  readonly gid: number;
  /** Throws with a `code` (ENOENT, EACCES, …), as node:fs does. Follows links. */
  stat(path: string): FileFacts;
  /** Throws as `stat` does. */
  read(path: string): Uint8Array;
}

/** What `stat` says of a file, as far as it matters here. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly isFolder: boolean;
  readonly bytes: number;
  /** Permission bits only. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The disk of this machine. */
export const localDisk: Disk = {
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  stat(path) {
    const facts = statSync(path);
    return {
      isFile: facts.isFile(),
      isFolder: facts.isDirectory(),
      bytes: facts.size,
      mode: facts.mode & 0o7777,
      uid: facts.uid,
      gid: facts.gid,
    };
  },
  read: (path) => readFileSync(path),
};

/** A file as text, or why it could not be read, in words that tell what to change. */
export type TextFile = { readonly text: string } | { readonly why: string; readonly isMissing: boolean };

const largestBytes = 1024 * 1024;

/** Reads a small UTF-8 file; a byte order mark is dropped. Never throws for anything the file does. */
export function readTextFile(disk: Disk, path: string): TextFile {
  const us = `we are uid ${disk.uid}, gid ${disk.gid}`;
  let facts: FileFacts | undefined;
  try {
    facts = disk.stat(path);
    if (facts.isFolder) {
      return { why: 'it is a folder (Docker makes one when the file to mount does not exist)', isMissing: false };
    }
    // A pipe would block the start for ever.
    if (!facts.isFile) return { why: 'it is not a regular file', isMissing: false };
    if (facts.bytes > largestBytes)
      return { why: `it has ${facts.bytes} bytes, at most 1 MiB is read`, isMissing: false };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(disk.read(path)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return { why: `there is no such file (${us})`, isMissing: true };
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { why: 'it is not UTF-8 text', isMissing: false };
    const file = facts ? `, the file is mode ${modeText(facts.mode)} of ${facts.uid}:${facts.gid}` : '';
    return {
      why: `${code === 'EACCES' ? 'permission denied' : String(code ?? error)}; ${us}${file}`,
      isMissing: false,
    };
  }
}

function modeText(mode: number): string {
  return mode.toString(8).padStart(4, '0');
}
