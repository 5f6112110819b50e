import { Readable } from 'node:stream';

/** Bytes on their way to a command that may stop reading before they end. */
export interface Meter {
  readonly stream: Readable;
  /** How many were taken so far. */
  bytes(): number;
  /** Reads what the command left, to the end; returns how many bytes that were. Rejects when the source breaks. */
  drain(): Promise<number>;
}

export function createMeter(source: Readable): Meter {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  let bytes = 0;
  async function next(): Promise<Buffer | undefined> {
    const { done, value } = await chunks.next();
    if (done) return undefined;
    bytes += value.length;
    return value;
  }
  async function* read() {
    for (let chunk = await next(); chunk !== undefined; chunk = await next()) yield chunk;
  }
  return {
    stream: Readable.from(read(), { objectMode: false }),
    bytes: () => bytes,
    drain: async () => {
      const before = bytes;
      while ((await next()) !== undefined);
      return bytes - before;
    },
  };
}
