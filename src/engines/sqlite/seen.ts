import type { Header } from './header.ts';

/** Whose a file or folder is, by numbers: names differ between images. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** One path of the container as it is now. */
export interface Seen {
  readonly path: string;
  readonly kind: 'file' | 'link' | 'missing' | 'other';
  readonly bytes: number;
  /** Size of the write-ahead log beside it. */
  readonly walBytes: number;
  readonly owner: Owner;
  readonly folder: Owner | undefined;
  /** As `stat -f -c %T` calls it; undefined when nobody could ask. */
  readonly fileSystem: string | undefined;
  readonly header: Header | undefined;
}
