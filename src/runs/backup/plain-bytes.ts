import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decodeChain } from '../../codecs/chain.ts';
import type { Codec } from '../../codecs/codec.ts';
import { feedSink } from '../../codecs/sink.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Redirectable } from '../../domain/shell.ts';

export interface PlainBytes {
  readonly stream: Readable;
  /**
   * How many plain bytes there were. A checker may be content before it has read the last of them; the rest is decoded
   * and counted all the same, so that the number is exact and damage at the very end is found.
   */
  total(): Promise<number>;
}

/**
 * Stored bytes decoded for whoever reads them: as a stream in this process, or straight into a descriptor where the codec
 * can do that, so that the plain side (five times as many bytes) is never touched here. Redirecting needs a helper at a
 * pipe, so it is offered only where there are enough bytes for that.
 */
export function plainBytes(
  stored: Readable,
  codecs: readonly Codec[],
  isRedirectable: boolean,
  signal: AbortSignal,
): PlainBytes {
  const total = Promise.withResolvers<number>();
  total.promise.catch(() => {}); // Reported by the stream, unless its reader left before.
  const stream = Readable.from(decoded(stored, codecs, total, signal), {
    objectMode: false,
    highWaterMark: 256 * 1024,
  });
  const [codec, ...others] = codecs;
  const decodeTo = isRedirectable && others.length === 0 ? codec?.decodeTo : undefined;
  if (!decodeTo) return { stream, total: () => total.promise };

  const redirectable: Redirectable = Object.assign(stream, {
    writeTo: async (descriptor: number, abort: AbortSignal) => {
      try {
        total.resolve(await feedSink(stored, decodeTo(descriptor, abort), abort));
      } catch (error) {
        total.reject(error);
        throw error;
      }
    },
  });
  return { stream: redirectable, total: () => total.promise };
}

async function* decoded(
  stored: Readable,
  codecs: readonly Codec[],
  total: PromiseWithResolvers<number>,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const decode = decodeChain(codecs, signal);
  if (!decode.input) throw new LifeboatError('INTERNAL', 'the decoder takes no input');
  const feeding = pipeline(stored, decode.input, { signal });
  feeding.catch(() => {}); // The decoder's output fails with the same cause.
  let count = 0;
  // A reader that leaves ends the generator at its yield, by return or by a throw; a decoder that fails does so elsewhere.
  let isAtReader = false;
  try {
    for await (const chunk of decode.output.iterator({ destroyOnReturn: false })) {
      count += chunk.length;
      isAtReader = true;
      yield chunk;
      isAtReader = false;
    }
    await feeding;
    total.resolve(count);
  } catch (error) {
    if (!isAtReader) total.reject(error);
    throw error;
  } finally {
    if (isAtReader) finishAlone();
  }

  /** The reader left: not waited for by whoever closes the stream, but by `total`. */
  function finishAlone(): void {
    const rest = async () => {
      for await (const chunk of decode.output) count += chunk.length;
      await feeding;
      return count;
    };
    rest().then(total.resolve, total.reject);
  }
}
