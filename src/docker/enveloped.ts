import type { Socket } from 'node:net';
import { Readable, type Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Finished, Output } from '../domain/shell.ts';
import { commandFailed, cutOff, staysOn } from './command-failure.ts';
import { demux, type Piece } from './demux.ts';
import type { Envelope } from './envelope.ts';
import { LineTail } from './line-tail.ts';
import { endLost, silenceMs, watchSilence } from './watch.ts';

/** One process inside an envelope, whoever runs it: an exec in a container or the main process of a helper. */
export interface EnvelopedProcess {
  readonly socket: Socket;
  readonly envelope: Envelope;
  /** The command as people know it, for messages. */
  readonly title: string;
  readonly input?: Readable | undefined;
  readonly onStderrLine?: ((line: string) => void) | undefined;
  /** Resolves with the Engine's own idea of the exit code once the process is gone; rejects when it is unknown. */
  exitCode(): Promise<number>;
  /** Rejects with the reason when the container is no longer what it was; called on trouble, on silence and at the end. */
  check(): Promise<void>;
  /** Whether the Engine says that the process is over; asked on silence. */
  hasEnded(): Promise<boolean>;
  /** Called for the first byte of standard output, which is then a mark of the script and no data. */
  readonly onMark?: (() => void) | undefined;
  /** Always called once, at the very end. */
  dispose(): Promise<void>;
}

/**
 * Reads a process in an envelope to its proven end. The stream ends only when the trailer came, the Engine names the
 * same exit code, that code is in `okCodes`, and the container is still the same one.
 */
export function readEnveloped(
  process: EnvelopedProcess,
  anyExitCode: boolean,
  signal: AbortSignal | undefined,
): Output {
  const stderr = new LineTail(process.onStderrLine);
  const finished = Promise.withResolvers<Finished>();
  finished.promise.catch(() => {}); // The stream carries the same failure; whoever ignores this promise has seen it there.
  const stdout = Readable.from(read(process, stderr, anyExitCode, finished, signal), {
    objectMode: false,
    highWaterMark: 1024 * 1024,
  });
  // A generator that waits for a silent command is deaf to its reader's leaving: the connection must tell it.
  const destroy = stdout._destroy.bind(stdout);
  stdout._destroy = (error, callback) => {
    process.socket.destroy();
    destroy(error, callback);
  };
  return { stdout, finished: finished.promise };
}

async function* read(
  process: EnvelopedProcess,
  stderr: LineTail,
  anyExitCode: boolean,
  finished: PromiseWithResolvers<Finished>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  const { socket, envelope } = process;
  const end: Ending = { isTold: false, isOver: false, looks: 0 };
  const watch = watchSilence(
    silenceMs,
    () => look(process, end),
    (reason) => socket.destroy(reason),
  );
  const cancel = () => socket.destroy(asLifeboatError(signal?.reason));
  signal?.addEventListener('abort', cancel, { once: true });
  if (signal?.aborted) cancel();
  const feeding = feed(process);
  let heard = '';
  let mark = process.onMark;
  try {
    for await (const piece of untilOver(demux(socket), end)) {
      watch.alive();
      if (piece.stream === 'stderr') {
        stderr.push(piece.bytes);
        continue;
      }
      let { bytes } = piece;
      if (mark && bytes.length > 0) {
        mark();
        mark = undefined;
        bytes = bytes.subarray(1);
      }
      if (end.isTold) {
        throw new LifeboatError('DUMP_INCOMPLETE', `${process.title} wrote output after its end`, {
          hint: 'a background process of the command still holds its standard output',
        });
      }
      if (heard.length < 1_000) heard += bytes.toString('latin1', 0, 1_000);
      yield* envelope.trailer.take(bytes);
      watch.alive();
      if (envelope.trailer.exitCode === undefined) continue;
      end.isTold = true;
      if (envelope.release === '') socket.end();
      else socket.end(envelope.release);
    }
    const exitCode = envelope.trailer.exitCode;
    if (exitCode === undefined) {
      const failure = feeding.error();
      if (failure) throw asLifeboatError(failure);
      throw cutOff(process.title, await process.exitCode().catch(() => undefined), heard, stderr.text);
    }
    await agree(process, exitCode);
    await process.check();
    stderr.end();
    if (exitCode !== 0 && !anyExitCode) throw commandFailed(process.title, exitCode, stderr.text);
    finished.resolve({ exitCode, stdout: '', stderr: stderr.text });
  } catch (thrown) {
    const error = asLifeboatError(await better(process, thrown));
    finished.reject(error);
    throw error;
  } finally {
    // Reached with nothing settled when the reader gave up: its cancellation is then the outcome.
    finished.reject(new LifeboatError('CANCELLED', `${process.title} was cancelled`));
    watch[Symbol.dispose]();
    signal?.removeEventListener('abort', cancel);
    socket.destroy();
    process.input?.destroy();
    await process.dispose();
  }
}

/**
 * Sends the preamble and the input. A source that breaks must not look like its end, so it takes the connection with it;
 * a job that ends without having read everything is no failure of the source.
 */
function feed(process: EnvelopedProcess): { error(): unknown } {
  let failure: unknown;
  const { socket, input, envelope } = process;
  if (envelope.preamble !== '') socket.write(envelope.preamble);
  if (input) {
    pump(process, input).catch((thrown: unknown) => {
      if (envelope.trailer.exitCode !== undefined) return;
      failure = thrown;
      socket.destroy(asLifeboatError(thrown));
    });
  }
  return { error: () => failure };
}

async function pump({ socket, envelope }: EnvelopedProcess, input: Readable): Promise<void> {
  for await (const chunk of input) {
    if (socket.destroyed || envelope.trailer.exitCode !== undefined) return;
    if (!socket.write(chunk)) await canWriteAgain(socket);
  }
  socket.end();
}

/** Resolves when the stream takes more, or never will. */
export function canWriteAgain(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off('drain', settle).off('close', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle);
    if (stream.destroyed) settle();
  });
}

/** What is known of the end of a process. */
interface Ending {
  /** Its trailer came, so that every byte is here, and its input was closed. */
  isTold: boolean;
  /** The Engine calls it over, although its stream has no end. */
  isOver: boolean;
  /** How often it was looked at since the trailer. */
  looks: number;
}

/** How often a process that has told its end is found running before it counts as stuck: hosts can be very busy. */
const leavingLooks = 3;

/** After a while of silence: is there anything that could still come? */
async function look(process: EnvelopedProcess, end: Ending): Promise<void> {
  await process.check();
  const isOver = await process.hasEnded();
  if (!end.isTold) {
    if (isOver) throw endLost(process.title);
    return;
  }
  end.looks += 1;
  if (!isOver && end.looks >= leavingLooks) throw staysOn(process.title);
  if (!isOver) return;
  end.isOver = true;
  process.socket.destroy();
}

/** The pieces up to the end of their stream, or of the process behind it: with the trailer, all of them have come. */
async function* untilOver(pieces: AsyncIterable<Piece>, end: Ending): AsyncGenerator<Piece, void, undefined> {
  try {
    yield* pieces;
  } catch (error) {
    if (!end.isOver) throw error;
  }
}

async function agree(process: EnvelopedProcess, inBand: number): Promise<void> {
  const engine = await process.exitCode();
  if (engine === inBand) return;
  throw new LifeboatError('DUMP_INCOMPLETE', `${process.title} reported exit code ${inBand}, the Engine ${engine}`, {
    retryable: true,
  });
}

/** A stream that fails because its container was killed, replaced or paused should say that, not "connection reset". */
async function better(process: EnvelopedProcess, thrown: unknown): Promise<unknown> {
  const specific =
    thrown instanceof LifeboatError && !['DUMP_INCOMPLETE', 'COMMAND_FAILED', 'INTERNAL'].includes(thrown.code);
  if (specific) return thrown;
  // The streams of a killed container close a moment before the Engine calls it dead.
  await sleep(300);
  const found = await process.check().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (found) return found;
  if (thrown instanceof LifeboatError) return thrown;
  return new LifeboatError('DUMP_INCOMPLETE', `the connection to ${process.title} broke`, {
    retryable: true,
    cause: thrown,
  });
}
