import type { Emit, RunEvent } from '../../domain/run-event.ts';
import { cleanTexts } from '../clean-texts.ts';

/** Somebody who hears of every event: the log, the history, a client on the socket, a channel of notifications. */
export interface EventReader {
  /** For complaints about it. */
  readonly name: string;
  /** Called once per event, in order. Whatever it throws or rejects with is complained of and forgotten. */
  read(event: RunEvent): unknown;
}

/** One stream of run events with any number of readers. */
export interface EventBus {
  /** Never throws and never waits: a run must not notice who reads. */
  readonly emit: Emit;
  /** Returns the function that ends the subscription. */
  subscribe(reader: EventReader): () => void;
}

export interface EventBusOptions {
  /** Takes secrets out of every sentence on the stream, once for all readers. */
  clean(text: string): string;
  /** Hears of a reader that failed, once until it succeeds again. */
  complain(reader: string, error: unknown): void;
}

export function createEventBus({ clean, complain }: EventBusOptions): EventBus {
  const readers = new Set<EventReader>();
  const failing = new Set<EventReader>();
  const failed = (reader: EventReader, error: unknown) => {
    if (failing.has(reader)) return;
    failing.add(reader);
    complain(reader.name, error);
  };
  const deliver = (reader: EventReader, event: RunEvent) => {
    try {
      const answer = reader.read(event);
      // A reader may be an async function: its rejection would otherwise end the process.
      if (answer instanceof Promise) answer.catch((error: unknown) => failed(reader, error));
      else failing.delete(reader);
    } catch (error) {
      failed(reader, error);
    }
  };
  return {
    emit: (event) => {
      const cleaned = cleanTexts(event, clean);
      for (const reader of [...readers]) deliver(reader, cleaned);
    },
    subscribe: (reader) => {
      readers.add(reader);
      return () => {
        readers.delete(reader);
        failing.delete(reader);
      };
    },
  };
}
