import type { ServerResponse } from 'node:http';
import type { RunEvent } from '../domain/run-event.ts';
import type { StreamLine } from '../domain/wire.ts';

/** Lines that wait for a client that does not read; with more than this the client is cut off. */
const longestQueue = 10_000;

/**
 * Writes lines to a client at its own pace. One that reads too slowly misses progress, which the next line corrects, and
 * in the end is cut off; the run never waits for it.
 */
export interface LineStream {
  write(line: StreamLine): void;
  /** Resolves when everything was handed over, or the client is gone. */
  end(): Promise<void>;
}

export function createLineStream(response: ServerResponse): LineStream {
  let queue: StreamLine[] = [];
  response.on('drain', flush);
  response.on('error', () => {}); // A client that left in the middle of a line is a client that left.

  function flush(): void {
    while (queue.length > 0 && !response.writableNeedDrain && !response.destroyed) {
      const [line] = queue.splice(0, 1);
      response.write(`${JSON.stringify(line)}\n`);
    }
  }

  return {
    write: (line) => {
      if (response.destroyed) return;
      if (isProgress(line)) queue = queue.filter((waiting) => !isSameProgress(waiting, line));
      queue.push(line);
      if (queue.length > longestQueue) response.destroy();
      flush();
    },
    end: async () => {
      while (queue.length > 0 && !response.destroyed) await writableAgain(response);
      if (response.destroyed) return;
      await new Promise<void>((resolve) => {
        response.on('close', resolve);
        response.end(resolve);
      });
    },
  };
}

// --- utils ---

type Progress = Extract<RunEvent, { type: 'progress' }>;

function isProgress(line: StreamLine): line is { readonly event: Progress } {
  return 'event' in line && line.event.type === 'progress';
}

function isSameProgress(line: StreamLine, next: { readonly event: Progress }): boolean {
  return isProgress(line) && line.event.source === next.event.source && line.event.stack === next.event.stack;
}

function writableAgain(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
  });
}
