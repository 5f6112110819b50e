import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decodeChain } from '../codecs/chain.ts';
import type { Codec } from '../codecs/codec.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Redirectable } from '../domain/shell.ts';

export interface PlainBytes {
  readonly stream: Readable;
  /** How many plain bytes there were; final once they were read to their end. */
  count(): number;
}

/**
 * Stored bytes decoded for whoever reads them: as a stream in this process, or straight into a descriptor where the codec
 * can do that, so that the plain side (five times as many bytes) is never touched here.
 */
export function plainBytes(stored: Readable, codecs: readonly Codec[], signal: AbortSignal): PlainBytes {
  let count = 0;
  async function* decoded(): AsyncGenerator<Buffer> {
    const decode = decodeChain(codecs, signal);
    if (!decode.input) throw new LifeboatError('INTERNAL', 'the decoder takes no input');
    const feeding = pipeline(stored, decode.input, { signal });
    feeding.catch(() => {}); // The decoder's output fails with the same cause.
    for await (const chunk of decode.output as AsyncIterable<Buffer>) {
      count += chunk.length;
      yield chunk;
    }
    await feeding;
  }
  const stream = Readable.from(decoded(), { objectMode: false, highWaterMark: 256 * 1024 });
  const [codec, ...others] = codecs;
  const decodeTo = others.length === 0 ? codec?.decodeTo : undefined;
  if (!decodeTo) return { stream, count: () => count };

  const redirectable: Redirectable = Object.assign(stream, {
    writeTo: async (descriptor: number, abort: AbortSignal) => {
      const sink = decodeTo(descriptor, abort);
      const feeding = pipeline(stored, sink.input, { signal: abort });
      feeding.catch(() => {}); // The sink knows the cause.
      count = await sink.done;
      await feeding;
    },
  });
  return { stream: redirectable, count: () => count };
}
