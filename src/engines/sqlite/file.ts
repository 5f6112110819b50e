import { LifeboatError } from '../../domain/errors.ts';
import type { Location } from '../location.ts';
import type { Seen } from './seen.ts';

/** A database that will be dumped. */
export interface DatabaseFile extends Seen {
  readonly location: Location;
}

/** Files that SQLite keeps beside a database, in the order in which they matter. */
export const sideSuffixes = ['-wal', '-shm', '-journal'] as const;

/** In the names of all files that we put beside a database, so that nobody takes them for one. */
const ownMark = '.lifeboat-';

export function stagedPath(path: string, suffix: string): string {
  return `${path.slice(0, path.lastIndexOf('/') + 1)}${ownMark}new-${suffix}-${path.slice(path.lastIndexOf('/') + 1)}`;
}

export function keptPath(path: string, suffix: string): string {
  return `${path}${ownMark}prev-${suffix}`;
}

export function isOwnFile(path: string): boolean {
  return path.includes(ownMark, path.lastIndexOf('/'));
}

/** Rejects what a person named although it is no database that can be saved. */
export function assertDatabase(seen: Seen): void {
  const { path, kind, bytes, header } = seen;
  if (kind === 'missing') {
    throw new LifeboatError('SOURCE_NOT_FOUND', `${path} does not exist in the container`, {
      hint: 'lifeboat.sqlite names paths inside the container; a pattern may match no file on some days, a path must exist',
    });
  }
  if (kind === 'link') {
    throw new LifeboatError('SOURCE_NOT_FOUND', `${path} is a symbolic link`, { hint: 'name the file it points to' });
  }
  if (kind === 'other')
    throw new LifeboatError('SOURCE_NOT_FOUND', `${path} is not a regular file`, {
      hint: 'name the database file itself with lifeboat.sqlite',
    });
  if (bytes === 0) {
    throw new LifeboatError('DUMP_EMPTY', `${path} is empty`, {
      hint: 'the app has not made its database yet, or somebody truncated it',
    });
  }
  if (!header) {
    throw new LifeboatError('PROOF_FAILED', `${path} is not a SQLite database`, {
      hint: 'it is damaged at its beginning, encrypted, or another kind of file; an encrypted one can be saved with lifeboat.command',
    });
  }
}
