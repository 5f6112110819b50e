import type { Message } from './notifier.ts';

/** The messages of one channel that were not delivered yet, oldest first. */
export interface Outbox {
  /** Adds a message at the end. When there is no room, returns the one that was dropped for it. */
  add(message: Message): Message | undefined;
  /** The one whose turn it is; it stays until it is removed. */
  first(): Message | undefined;
  /** It was delivered, or never will be. A message that is not there any more is fine. */
  remove(id: string): void;
  size(): number;
}

/** Runs are hours apart and repeated problems are not told again: whoever misses more messages than this looks himself. */
const standardCapacity = 100;

export interface OutboxOptions {
  readonly capacity?: number;
  /** What an earlier process left. */
  readonly left?: readonly Message[];
  /** Hears of every change, for the next process. */
  keep?(messages: readonly Message[]): void;
}

export function createOutbox({ capacity = standardCapacity, left = [], keep }: OutboxOptions = {}): Outbox {
  const messages: Message[] = [...left];
  return {
    add: (message) => {
      messages.push(message);
      // Not the first: it may be under way. The second oldest is the least interesting.
      const [dropped] = messages.length > capacity ? messages.splice(1, 1) : [];
      keep?.(messages);
      return dropped;
    },
    first: () => messages[0],
    remove: (id) => {
      const index = messages.findIndex((message) => message.id === id);
      if (index === -1) return;
      messages.splice(index, 1);
      keep?.(messages);
    },
    size: () => messages.length,
  };
}
