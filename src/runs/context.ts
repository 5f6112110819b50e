import type { Catalog } from '../catalog/catalog.ts';
import type { Hold, Journal } from '../domain/journal.ts';
import type { Emit } from '../domain/run-event.ts';
import type { Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { Engine } from '../engines/engine.ts';
import type { Store } from '../stores/store.ts';
import type { Resolved } from './source.ts';

/** A named place for backups, opened and known to be ours. */
export interface Destination {
  readonly name: string;
  readonly store: Store;
  readonly catalog: Catalog;
  /** A disk of this host: written first; remote destinations are copied from it. */
  readonly isLocal: boolean;
  /** A backup that is not here has failed, wherever else it is. */
  readonly isRequired?: boolean;
  /**
   * Keeps the right to write there until it is disposed of, so that no other sidecar comes in between; every draft holds
   * it as well. Rejects LOCKED, naming who has it, or with why the destination cannot be used.
   */
  hold(signal: AbortSignal): Promise<AsyncDisposable>;
}

/** What every run needs of the world, given by the composition root. */
export interface RunContext {
  /** Lifeboat's own version. */
  readonly version: string;
  /** Everything in scope, looked up anew at each call. */
  containers(signal: AbortSignal): Promise<readonly Container[]>;
  /** Everything on the Engine's host, in scope or not, without Lifeboat's own; nothing of it is read but what it mounts. */
  neighbours(signal: AbortSignal): Promise<readonly Container[]>;
  /** What was found to hold nothing is remembered for a while, unless one is told to look anew. */
  sources(signal: AbortSignal, look?: 'anew'): Promise<Resolved>;
  /** The same with sources that hold nothing now: something may be restored into them. */
  candidates(signal: AbortSignal): Promise<Resolved>;
  /** The container that plays this one's part now, once no run of ours has it stopped or paused. */
  refresh(container: Container, signal: AbortSignal): Promise<Container>;
  shell(container: Container, run: string, stopGraceMs: number): Shell;
  /** Whether this image, by its content address, is on the Engine's host. */
  hasImage(imageId: string, signal: AbortSignal): Promise<boolean>;
  /** By the name that a manifest gives; undefined for one that a newer Lifeboat has. */
  engine(name: string): Engine | undefined;
  /** Stops and starts other containers, journalled. */
  readonly lifecycle: Lifecycle;
  /** Opened when first asked for. */
  destinations(): Promise<readonly Destination[]>;
  readonly journal: Journal;
  readonly emit: Emit;
  now(): Date;
}

/** Taking containers out of the way and back. */
export interface Lifecycle {
  /** Journalled; a container that does not run stays as it is. Disposing starts it again, unless others hold it as well. */
  stop(container: Container, graceMs: number, signal?: AbortSignal): Promise<Hold>;
  /** Resolves when it runs, and is healthy or has ended well where a dependency demands that. */
  settled(container: Container, signal: AbortSignal): Promise<void>;
}

/** Calls until it succeeds once; whoever asks meanwhile gets the same promise, whoever asks later the same result. */
export function once<T>(act: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => {
    result ??= act().catch((error: unknown) => {
      result = undefined;
      throw error;
    });
    return result;
  };
}
