import type { SourceName } from './types.ts';

/**
 * The journal of intents. What Lifeboat is about to do to somebody else's container is on disk before it is done, so that
 * the next start can put it back however this process ends.
 */
export type Intent =
  /** We are about to stop it; if we vanish it must be started again. */
  | { readonly kind: 'stop'; readonly container: ContainerRole }
  /** We are about to pause it; if we vanish it must be unpaused. */
  | { readonly kind: 'pause'; readonly container: ContainerRole }
  /** A restore is about to make something beside live data, or to touch that. */
  | RestoreIntent;

export interface RestoreIntent {
  readonly kind: 'restore';
  readonly container: ContainerRole;
  readonly source: SourceName;
  /** Tells a person where it stood. */
  readonly note: string;
  /** The suffix of the names it makes. */
  readonly suffix: string;
  /** What its engine needs to take it back; absent as long as live data is untouched. */
  readonly undo?: unknown;
  /** Names of the containers that were stopped for it: they must not see data that is neither the old nor the new. */
  readonly stops?: readonly string[];
}

/** The part a container plays: Compose may recreate it under another id while it is stopped. */
export interface ContainerRole {
  readonly id: string;
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  readonly number: number;
}

/** A container that is kept out of the way; disposing puts it back. */
export interface Hold extends AsyncDisposable {
  /** Gives it up without putting it back: the journal keeps that for whoever reads it next. */
  leave(): void;
}

export interface Journal {
  /** Resolves when the intent is durable. The returned function marks it as undone or completed, durably. */
  intend(intent: Intent): Promise<() => Promise<void>>;
}
