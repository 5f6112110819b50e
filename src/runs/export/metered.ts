import { Readable } from 'node:stream';

/** The same bytes; `onRead` hears of each chunk as it is taken. */
export function metered(source: AsyncIterable<Uint8Array>, onRead: (bytes: number) => void): Readable {
  async function* chunks() {
    for await (const chunk of source) {
      onRead(chunk.length);
      yield chunk;
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}
