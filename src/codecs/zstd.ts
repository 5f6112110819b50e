import { LifeboatError } from '../domain/errors.ts';
import type { Codec } from './codec.ts';
import { startProcess } from './process.ts';
import { zstdSink } from './sink.ts';

export interface ZstdOptions {
  /** 1 (fast) to 19 (small). */
  readonly level?: number;
  /** Worker threads; 0 means one per core. */
  readonly threads?: number;
}

/**
 * Zstandard through the `zstd` program: node:zlib's own workers truncate, and one thread of it is half as fast. Frames
 * carry a content checksum, which is the program's default.
 */
export function createZstd({ level = 3, threads = 0 }: ZstdOptions = {}): Codec {
  if (!Number.isInteger(level) || level < 1 || level > 19) {
    throw new LifeboatError('CONFIG_INVALID', `zstd has no level ${level}`, { hint: 'levels go from 1 to 19' });
  }
  return {
    name: 'zstd',
    extension: 'zst',
    decodeByHand: 'zstd -dc',
    encode: (signal, input) =>
      startProcess(
        { argv: ['zstd', `-${level}`, `-T${threads}`, '-q', '-c'], refusal: 'COMMAND_FAILED', input },
        signal,
      ),
    decode: (signal) => startProcess({ argv: ['zstd', '-d', '-c', '-q'], refusal: 'ARTIFACT_CORRUPT' }, signal),
    decodeTo: zstdSink,
  };
}
