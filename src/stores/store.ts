import type { Readable } from 'node:stream';

/** One object in a store. */
export interface StoredObject {
  /** Slash-separated, relative to the destination's root. */
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
}

/** What the store knows about an object it has just made durable. */
export interface Confirmation {
  readonly bytes: number;
  readonly sha256: string;
  /** `read-back`: the stored bytes were read again and hashed; `checksum`: the server confirmed a checksum it computed itself. */
  readonly confirmed: 'read-back' | 'checksum';
  /** More than one when the bytes were too many for one object: they lie in `key`, `key.001`, `key.002`, …, which `cat` joins. */
  readonly objects?: number;
}

export interface PutOptions {
  /** Reject with OBJECT_EXISTS rather than replace an object. */
  readonly ifAbsent?: boolean;
  /** Size if it is known beforehand; only ever a hint. */
  readonly expectedBytes?: number | undefined;
}

export interface DraftOptions {
  /** Takes up what an earlier draft of this folder left behind, rather than reject because of it. */
  readonly resume?: boolean;
}

/**
 * The store contract (test/contracts/store.ts holds every driver to it). Errors are LifeboatErrors: STORE_UNAVAILABLE
 * (retryable or not), STORE_FULL, OBJECT_NOT_FOUND, OBJECT_EXISTS, ARTIFACT_CORRUPT, CANCELLED.
 */
export interface Store {
  /** The driver's name: `local`, `s3`, `memory`. */
  readonly driver: string;
  /** Printable, without credentials. */
  readonly location: string;
  /**
   * Whole object or nothing: when the body fails, ends early, the signal fires or the process dies, no object with this
   * key appears (and one that was there stays as it was). Resolves when the bytes are durable and were confirmed.
   */
  put(key: string, body: Readable | Uint8Array, options: PutOptions, signal: AbortSignal): Promise<Confirmation>;
  /** Rejects OBJECT_NOT_FOUND. The caller consumes or destroys the stream, which fails if it ends short. */
  get(key: string, signal: AbortSignal): Promise<Readable>;
  /** All objects whose key starts with the prefix, in no order; complete, or it throws. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<StoredObject>;
  /**
   * Names directly below a prefix that is empty or ends with a slash and that are folders; complete, or it throws. Spares
   * a walk over millions of files below them.
   */
  folders(prefix: string, signal: AbortSignal): Promise<readonly string[]>;
  /** A missing object is success. */
  remove(key: string, signal: AbortSignal): Promise<void>;
  /**
   * Opens the folder of a new backup. Nothing of it is visible to `list` as a complete backup before `publish`;
   * rejects OBJECT_EXISTS when the folder is there already, a published one always.
   */
  draft(prefix: string, signal: AbortSignal, options?: DraftOptions): Promise<Draft>;
  /** Removes what killed writers left behind (partial folders, open uploads) and that is older than `olderThanMs`. */
  sweep(olderThanMs: number, signal: AbortSignal): Promise<readonly string[]>;
  /** Bytes that can still be written, when the store can tell. */
  freeBytes(signal: AbortSignal): Promise<number | undefined>;
}

/** A backup folder being written. */
export interface Draft {
  /** Never replaces a file of the draft: rejects OBJECT_EXISTS, as names that differ in their case only are one on some disks. */
  put(name: string, body: Readable | Uint8Array, options: PutOptions, signal: AbortSignal): Promise<Confirmation>;
  /** What was put, or taken up, under this name, as `Store.get` does. Rejects OBJECT_NOT_FOUND. */
  get(name: string, signal: AbortSignal): Promise<Readable>;
  /** Writes the manifest as the last object and makes the whole folder visible, durably. */
  publish(manifest: Uint8Array, signal: AbortSignal): Promise<Confirmation>;
  /** Ends it, and keeps what was put for the next draft that resumes; when none comes, `sweep` removes it. */
  leave(): void;
  /**
   * Removes everything that was put or taken up, unless it was published or left; safe to call more than once, and after a
   * failed publish.
   */
  discard(): Promise<void>;
}

/** The object that makes a backup visible. */
export const manifestFile = 'manifest.json';
