import { LifeboatError } from '../domain/errors.ts';
import type { Codec } from './codec.ts';

/** What a destination may say about a codec; what a codec does not know it ignores. */
export interface CodecOptions {
  readonly level?: number;
}

/** All codecs. Each is loaded when first used, so that commands which read no bytes start fast. */
const codecs = {
  zstd: async (options: CodecOptions) => (await import('./zstd.ts')).createZstd(options),
  gzip: async (options: CodecOptions) => (await import('./gzip.ts')).createGzip(options),
} as const satisfies Record<string, (options: CodecOptions) => Promise<Codec>>;

export type CodecName = keyof typeof codecs;

const codecNames: readonly string[] = Object.keys(codecs);

function isCodecName(name: string): name is CodecName {
  return codecNames.includes(name);
}

/** The codec with this name. Rejects CONFIG_INVALID for an unknown one, which a newer Lifeboat may have written. */
export async function openCodec(name: string, options: CodecOptions = {}): Promise<Codec> {
  if (isCodecName(name)) return codecs[name](options);
  throw new LifeboatError('CONFIG_INVALID', `there is no codec "${name}"`, {
    hint: `known are ${codecNames.join(', ')}; a backup that names another one was made by a newer Lifeboat`,
  });
}
