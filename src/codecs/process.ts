import { Readable, Writable } from 'node:stream';
import { execa } from 'execa';
import { damagedHint, killedHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { CodecStep } from './codec.ts';

export interface ProcessOptions {
  readonly argv: readonly [string, ...string[]];
  /** What a refusal by the program means: bad data when decoding, a failed command otherwise. */
  readonly refusal: 'ARTIFACT_CORRUPT' | 'COMMAND_FAILED';
  /** A descriptor the program reads as its standard input; absent means the step's own `input`. */
  readonly input?: number | undefined;
}

const stderrTailBytes = 16 * 1024;
const bufferBytes = 256 * 1024;

/**
 * Runs a program as one stream step. Its output ends only after exit code 0 with all input taken; anything else (another
 * exit code, a signal, a failing neighbour, an abort) kills the program and destroys both streams with the first cause.
 */
export function startProcess(options: ProcessOptions, signal: AbortSignal): CodecStep {
  if (signal.aborted) throw asLifeboatError(signal.reason);
  const [tool, ...args] = options.argv;
  const child = execa(tool, args, {
    // execa's types list the descriptors 0 and 3 to 9 only; spawn takes any.
    stdin: options.input === undefined ? 'pipe' : (options.input as 0),
    stdout: 'pipe',
    stderr: 'pipe',
    buffer: false,
    reject: false,
    stripFinalNewline: false,
  });
  const chunks = child.stdout[Symbol.asyncIterator]();
  // Asked for at once: execa after a tick and Node at the program's exit throw away what nobody has begun to read.
  let ahead = chunks.next();
  ahead.catch(() => undefined);
  let firstCause: Error | undefined;

  const fail = (cause: Error): void => {
    firstCause ??= cause;
    child.kill('SIGKILL');
    input?.destroy(firstCause);
    output.destroy(firstCause);
  };

  const input = child.stdin ? inputOf(child.stdin, () => verdict, fail) : undefined;
  const output = new Readable({
    highWaterMark: bufferBytes,
    read() {
      ahead.then(
        (next) => {
          if (next.done) return conclude();
          ahead = chunks.next();
          ahead.catch(() => undefined);
          this.push(next.value);
        },
        () => conclude(),
      );
    },
    destroy(error, callback) {
      if (!this.readableEnded) fail(error ?? new LifeboatError('CANCELLED', `the output of ${tool} was not wanted`));
      child.stdout.destroy();
      callback(error);
    },
  });
  const conclude = (): void => {
    void verdict.then((failure) => (failure ? fail(failure) : output.push(null)));
  };

  const verdict = judge();
  async function judge(): Promise<Error | undefined> {
    const [result, stderr] = await Promise.all([child, tailOf(child.stderr)]);
    signal.removeEventListener('abort', abort);
    if (firstCause) return firstCause;
    const isTaken = input === undefined || input.writableEnded;
    if (result.exitCode === 0 && isTaken) return undefined;
    return failureOf(options, { ...result, stderr });
  }
  // A program that dies while nobody reads or writes must still fail both streams.
  void verdict.then((failure) => failure && fail(failure));

  const abort = (): void => fail(asLifeboatError(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  // Both streams report the same failure; whoever holds only one of them must not crash over the other.
  for (const stream of [input, output]) stream?.on('error', () => undefined);
  return { input, output };
}

/** The program's standard input, with a broken pipe replaced by the reason why the program went away. */
function inputOf(stdin: Writable, verdict: () => Promise<Error | undefined>, fail: (cause: Error) => void): Writable {
  const settle = (callback: (error?: Error | null) => void) => (error?: Error | null) => {
    if (!error) return callback();
    void verdict().then((failure) => callback(failure ?? error));
  };
  // The write and end callbacks carry the same error.
  stdin.on('error', () => undefined);
  return new Writable({
    highWaterMark: bufferBytes,
    write: (chunk, _encoding, callback) => {
      stdin.write(chunk, settle(callback));
    },
    writev: (entries, callback) => {
      stdin.cork();
      entries.forEach(({ chunk }, i) => {
        stdin.write(chunk, i === entries.length - 1 ? settle(callback) : undefined);
      });
      stdin.uncork();
    },
    // All writes were taken by now; a program that exited with 0 before the end of file was noticed took it all the same.
    final: (callback) => {
      stdin.end((error?: Error | null) => {
        if (error) void verdict().then(callback);
        else callback();
      });
    },
    destroy(error, callback) {
      if (!this.writableFinished) fail(error ?? new LifeboatError('DUMP_INCOMPLETE', 'the input ended early'));
      stdin.destroy();
      callback(error);
    },
  });
}

interface Ending {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly code?: string | undefined;
  readonly stderr: string;
}

function failureOf({ argv: [tool], refusal }: ProcessOptions, ending: Ending): LifeboatError {
  const context = { tool, exitCode: ending.exitCode, signal: ending.signal, stderr: ending.stderr };
  if (ending.code === 'ENOENT' || ending.code === 'EACCES') {
    return new LifeboatError('TOOL_MISSING', `the program ${tool} cannot be started (${ending.code})`, {
      hint: `install ${tool}, or use Lifeboat's own image, which brings it`,
      context,
    });
  }
  if (ending.signal !== undefined) {
    // Being killed says nothing about the data: most often the kernel ran out of memory.
    return new LifeboatError('COMMAND_FAILED', `${tool} was killed by ${ending.signal}`, {
      hint: ending.signal === 'SIGKILL' ? killedHint : undefined,
      retryable: true,
      context,
    });
  }
  if (ending.exitCode === 0) {
    return new LifeboatError('COMMAND_FAILED', `${tool} stopped reading before the end of its input`, { context });
  }
  const words = ending.stderr.trim().split('\n').at(-1);
  return new LifeboatError(refusal, `${tool} failed with exit code ${ending.exitCode}${words ? `: ${words}` : ''}`, {
    hint: refusal === 'ARTIFACT_CORRUPT' ? damagedHint : undefined,
    context,
  });
}

/** The last bytes of what the program says; bounded, because a broken program can say the same thing for hours. */
async function tailOf(stderr: Readable): Promise<string> {
  let tail = Buffer.alloc(0);
  try {
    for await (const chunk of stderr) tail = Buffer.concat([tail, chunk]).subarray(-stderrTailBytes);
  } catch (error) {
    return `${tail.toString()}\n(standard error broke off: ${String(error)})`;
  }
  return tail.toString();
}
