import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Codec, CodecStep } from './codec.ts';
import { startProcess } from './process.ts';

/** Starts all codecs, in the order given, as one step. Without any, bytes pass unchanged. */
export function encodeChain(codecs: readonly Codec[], signal: AbortSignal, input?: number): CodecStep {
  if (codecs.length === 0 && input !== undefined) {
    // Reading a pipe in this process would block a worker thread beyond the reach of the signal; a child can be killed.
    return startProcess({ argv: ['cat'], refusal: 'COMMAND_FAILED', input }, signal);
  }
  return join(codecs.map((codec, i) => codec.encode(signal, i === 0 ? input : undefined)));
}

/** Starts the decoders of all codecs, in reverse, as one step. */
export function decodeChain(codecs: readonly Codec[], signal: AbortSignal): CodecStep {
  return join(codecs.toReversed().map((codec) => codec.decode(signal)));
}

function join(steps: readonly CodecStep[]): CodecStep {
  const [first, ...rest] = steps;
  if (first === undefined) {
    const through = new PassThrough();
    return { input: through, output: through };
  }
  let output = first.output;
  for (const step of rest) {
    if (step.input === undefined) throw new TypeError('only the first step of a chain may read a descriptor');
    // A failure on either side destroys both steps with the same cause, so the ends of the chain tell of it.
    pipeline(output, step.input).catch(() => undefined);
    output = step.output;
  }
  return { input: first.input, output };
}
