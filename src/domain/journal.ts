/**
 * The journal of intents. What Lifeboat is about to do to somebody else's container is on disk before it is done, so that
 * the next start can put it back however this process ends.
 */
export type Intent =
  /** We are about to stop it; if we vanish it must be started again. */
  | { readonly kind: 'stop'; readonly container: ContainerRole }
  /** We are about to pause it; if we vanish it must be unpaused. */
  | { readonly kind: 'pause'; readonly container: ContainerRole }
  /** A restore is about to touch live data; `note` tells a person where it stood. */
  | { readonly kind: 'restore'; readonly container: ContainerRole; readonly note: string };

/** The part a container plays: Compose may recreate it under another id while it is stopped. */
export interface ContainerRole {
  readonly id: string;
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  readonly number: number;
}

export interface Journal {
  /** Resolves when the intent is durable. The returned function marks it as undone or completed, durably. */
  intend(intent: Intent): Promise<() => Promise<void>>;
}
