import type { Readable, Writable } from 'node:stream';
import type { Sink } from './sink.ts';

/** One reversible stream step, done by a child process so that the bytes stay out of the JavaScript heap where they can. */
export interface Codec {
  /** As written in manifests. */
  readonly name: string;
  /** Added to the file name, without a dot. */
  readonly extension: string;
  /** Starts encoding. `input` is a file descriptor the child reads directly; absent means the step's own `input`. */
  encode(signal: AbortSignal, input?: number): CodecStep;
  decode(signal: AbortSignal): CodecStep;
  /** Decodes into a descriptor; absent where the program cannot tell how much it wrote. */
  decodeTo?(output: number, signal: AbortSignal): Sink;
  /** The command that decodes standard input to standard output by hand. */
  readonly decodeByHand: string;
}

export interface CodecStep {
  /** Absent when the child reads a file descriptor. */
  readonly input: Writable | undefined;
  /** Ends only after the child exited with 0; otherwise it is destroyed with ARTIFACT_CORRUPT (decoding) or COMMAND_FAILED. */
  readonly output: Readable;
}
