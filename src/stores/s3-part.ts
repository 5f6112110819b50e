import { type Body, chunksOf, type Meter } from './body.ts';

/** A body cut into parts of equal size; the last is smaller, and there is always one. */
export interface PartStream {
  readonly parts: AsyncGenerator<Buffer>;
  /** Gives a part's memory back once the server has it; the garbage collector would be far behind. */
  recycle(part: Buffer): void;
}

/** Most objects are small: they do not cost the memory of a whole part. */
const smallBytes = 1024 * 1024;

export function cutIntoParts(
  body: Body,
  key: string,
  partBytes: number,
  meter: Meter,
  signal: AbortSignal,
): PartStream {
  const spare: Buffer[] = [];
  return {
    parts: cut(chunksOf(body, key, signal), partBytes, meter, spare),
    recycle: (part) => {
      if (part.length === partBytes) spare.push(part);
    },
  };
}

async function* cut(
  chunks: AsyncIterable<Uint8Array>,
  partBytes: number,
  meter: Meter,
  spare: Buffer[],
): AsyncGenerator<Buffer> {
  let part: Buffer = Buffer.alloc(0);
  let bytes = 0;
  let isFirst = true;
  for await (const chunk of chunks) {
    meter.add(chunk);
    for (let at = 0; at < chunk.length; ) {
      const piece = chunk.subarray(at, at + partBytes - bytes);
      if (bytes + piece.length > part.length) part = grown(part, bytes, piece.length, partBytes, spare);
      part.set(piece, bytes);
      bytes += piece.length;
      at += piece.length;
      if (bytes < partBytes) continue;
      yield part;
      [part, bytes, isFirst] = [Buffer.alloc(0), 0, false];
    }
  }
  if (bytes > 0 || isFirst) yield part.subarray(0, bytes);
}

function grown(part: Buffer, bytes: number, more: number, partBytes: number, spare: Buffer[]): Buffer {
  const isSmall = bytes + more <= smallBytes && spare.length === 0;
  const larger = isSmall
    ? Buffer.allocUnsafeSlow(Math.min(partBytes, Math.max(2 * part.length, bytes + more)))
    : (spare.pop() ?? Buffer.allocUnsafeSlow(partBytes));
  larger.set(part.subarray(0, bytes));
  return larger;
}
