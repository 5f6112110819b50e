import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { DockerApi } from './api.ts';

/** Something that happened to a container. A hint, not a log: the Engine drops events for slow readers. */
export interface ContainerEvent {
  readonly action: string;
  readonly containerId: string;
  readonly at: Date;
}

/** Hears of the Engine's events and of the connection they come over. */
export interface ContainerWatch {
  /** The stream is open; events may have been missed before, so look at what there is now. */
  connected(): void;
  changed(event: ContainerEvent): void;
  /** The stream ended or could not be opened; it is tried again after the pause. */
  lost(error: LifeboatError, pauseMs: number): void;
}

export interface WatchOptions {
  readonly firstPauseMs?: number;
  readonly longestPauseMs?: number;
}

/** What tells that a container came, went or changed; our own execs are left out. */
const watched = {
  type: ['container'],
  event: ['create', 'start', 'die', 'destroy', 'pause', 'unpause', 'rename', 'update', 'health_status', 'oom'],
};
const remembered = 256; // As many as the Engine itself keeps.
/** A fraction of a second in a double is not exact to the nanosecond: rather ask for one event twice than not at all. */
const overlapSeconds = 0.001;

/**
 * Follows the events until the signal fires: the stream ends whenever the Engine restarts, and a client that does not
 * reopen it goes deaf. Reopening asks for what happened since the last event; what comes twice is told once. Never rejects.
 */
export async function watchContainers(
  api: Pick<DockerApi, 'events'>,
  watch: ContainerWatch,
  signal: AbortSignal,
  { firstPauseMs = 1_000, longestPauseMs = 30_000 }: WatchOptions = {},
): Promise<void> {
  const seen = new Set<string>();
  let since: number | undefined;
  let pauseMs = firstPauseMs;
  while (!signal.aborted) {
    try {
      const stream = await api.events(watched, since, signal);
      // The call's own signal counts only until the stream is there.
      using _end = destroyedOn(signal, stream);
      watch.connected();
      for await (const { event, key, seconds } of readEvents(stream)) {
        pauseMs = firstPauseMs;
        since = Math.max(since ?? 0, seconds - overlapSeconds);
        if (seen.has(key)) continue;
        remember(seen, key);
        watch.changed(event);
      }
      throw new LifeboatError('DOCKER_UNAVAILABLE', 'the Engine ended its stream of events', { retryable: true });
    } catch (error) {
      if (signal.aborted) return;
      watch.lost(asLifeboatError(error), pauseMs);
      await sleep(pauseMs, undefined, { signal }).catch(() => {}); // Aborted: the loop ends.
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

// --- utils ---

function destroyedOn(signal: AbortSignal, stream: Readable): Disposable {
  const destroy = () => void stream.destroy();
  signal.addEventListener('abort', destroy, { once: true });
  if (signal.aborted) destroy();
  return {
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', destroy);
      stream.destroy();
    },
  };
}

interface RawEvent {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string };
  readonly timeNano?: number;
}

interface ReadEvent {
  readonly event: ContainerEvent;
  /** Tells it from any other. */
  readonly key: string;
  readonly seconds: number;
}

async function* readEvents(stream: Readable): AsyncGenerator<ReadEvent> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() !== '') yield toEvent(JSON.parse(line) as RawEvent);
    }
  }
}

function toEvent({ Action = '', Actor, timeNano = 0 }: RawEvent): ReadEvent {
  const containerId = Actor?.ID ?? '';
  return {
    event: { action: Action, containerId, at: new Date(timeNano / 1e6) },
    key: `${timeNano} ${containerId} ${Action}`,
    seconds: timeNano / 1e9,
  };
}

function remember(seen: Set<string>, key: string): void {
  seen.add(key);
  if (seen.size <= remembered) return;
  for (const oldest of seen) {
    seen.delete(oldest);
    return;
  }
}
