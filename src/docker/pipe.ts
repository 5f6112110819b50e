import type { Readable } from 'node:stream';
import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Command, Finished, Piped, Place } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import { answerOf } from './answer.ts';
import type { DockerApi } from './api.ts';
import { commandFailed } from './command-failure.ts';
import { demux } from './demux.ts';
import { pipeScript } from './envelope.ts';
import { feed } from './feed.ts';
import { type Fifo, fifoToRead, fifoToWrite } from './fifo.ts';
import { checkNeighbour, type Helper, type HelperOwner, helperOutput, launch } from './helper.ts';
import { LineTail } from './line-tail.ts';
import { makePipe, nobody, type PipeFolder, type PipeMount } from './pipe-folder.ts';
import { silenceMs, watchSilence } from './watch.ts';

/**
 * Prepares a helper whose standard output is a named pipe. The bytes go from process to process and never through the
 * Engine's relay, which costs five times as much and can lose the end of a stream.
 */
export async function openPipe(
  api: DockerApi,
  owner: HelperOwner,
  folder: PipeFolder,
  container: Container,
  command: Command,
): Promise<Piped> {
  const user = command.user ?? `${nobody.uid}:${nobody.gid}`;
  const pipe = await makePipe(fifoToRead, folder, owner.run, user);
  const { fifo, mount } = pipe;
  return {
    fd: fifo.end.fd,
    run: async (signal) => {
      try {
        return await writeToPipe(api, owner, container, { ...command, user }, mount, fifo, signal);
      } finally {
        fifo.keeper.close();
      }
    },
    [Symbol.asyncDispose]: () => pipe[Symbol.asyncDispose](),
  };
}

/**
 * Runs a command in a helper with these bytes as its standard input, through a named pipe; whatever its exit code.
 * Undefined when no helper may be made for a command that can as well run in the container: no byte was taken then.
 */
export async function runFromPipe(
  api: DockerApi,
  owner: HelperOwner,
  folder: PipeFolder,
  container: Container,
  command: Command,
  input: Readable,
  signal: AbortSignal,
): Promise<Finished | undefined> {
  const user = command.user ?? `${nobody.uid}:${nobody.gid}`;
  await using pipe = await makePipe(fifoToWrite, folder, owner.run, user);
  const { fifo, mount } = pipe;
  const given = Promise.withResolvers<void>();
  const broken = new AbortController();
  const ended = new AbortController();
  let isLaunched = false;
  const launched = () => {
    isLaunched = true;
    // Not earlier: bytes that were taken for a helper that cannot be made would be gone.
    void feed(input, fifo, AbortSignal.any([signal, ended.signal]))
      .then(
        () => fifo.isFed(),
        // Bytes that break off must not look like their end: the helper goes before the pipe does.
        // What stops only because the helper has ended says nothing about why.
        (error: unknown) => {
          if (!ended.signal.aborted) broken.abort(error);
        },
      )
      .then(given.resolve);
  };
  try {
    const output = await helperOutput(
      api,
      owner,
      container,
      { ...command, user },
      helperPlace(command),
      { anyExitCode: true, pipe: { mount, launched, opened: () => fifo.isOpened() } },
      AbortSignal.any([signal, broken.signal]),
    );
    try {
      const stdout = await answerOf(output, command.argv[0]);
      const finished = await output.finished;
      if (finished.exitCode === 0) await given.promise; // All was read: whoever counts the bytes may conclude.
      return { ...finished, stdout };
    } finally {
      ended.abort();
      fifo.keeper.close(); // Whoever still writes is told that nobody reads any more.
      await given.promise;
    }
  } catch (error) {
    const mayRunInContainer = command.place?.kind !== 'helper';
    if (!isLaunched && mayRunInContainer && isLifeboatError(error, 'DOCKER_REFUSED')) return undefined;
    throw broken.signal.aborted ? asLifeboatError(broken.signal.reason) : error;
  }
}

function helperPlace({ place }: Command): Extract<Place, { kind: 'helper' }> {
  return place?.kind === 'helper' ? place : { kind: 'helper' };
}

async function writeToPipe(
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  mount: PipeMount,
  fifo: Fifo,
  signal: AbortSignal,
): Promise<Finished> {
  const [title] = command.argv;
  const place = helperPlace(command);
  const script = pipeScript(command.argv, command.env ?? {});
  // The child process has its own copy; ours would hide its death.
  const helper = await launch(api, owner, container, command, place, script, mount, signal).finally(() =>
    fifo.end.close(),
  );
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => {});
  const abort = () => failed.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  // What flows through the pipe is not seen here, so the container is looked at all the time: one that is paused would
  // keep its client waiting for ever.
  using _watch = watchSilence(silenceMs, () => checkNeighbour(api, container, place), failed.reject);
  const stderr = new LineTail(command.onStderrLine);
  try {
    signal.throwIfAborted();
    helper.socket.write(script.preamble);
    const listening = listen(helper, stderr);
    const exitCode = await Promise.race([helper.exit, failed.promise]);
    await listening;
    if (exitCode === 137) throw killed(title);
    if (exitCode !== 0) throw await whyFailed(api, container, place, commandFailed(title, exitCode, stderr.text));
    await checkNeighbour(api, container, place);
    // Only now may the other side see the end: the helper ended well. It goes on while the helper is removed.
    fifo.keeper.close();
    return { exitCode, stdout: '', stderr: stderr.text };
  } finally {
    signal.removeEventListener('abort', abort);
    helper.socket.destroy();
    await helper.dispose();
  }
}

/** How long the messages of a helper that has ended may take to come. */
const lastWordsMs = 5_000;

/** Reads what a helper at a pipe says. Never rejects: a connection that breaks takes messages with it, not data. */
async function listen({ socket, exit }: Helper, stderr: LineTail): Promise<void> {
  let patience: NodeJS.Timeout | undefined;
  exit.then(() => (patience = setTimeout(() => socket.destroy(), lastWordsMs))).catch(() => {});
  try {
    for await (const piece of demux(socket)) if (piece.stream === 'stderr') stderr.push(piece.bytes);
  } catch {
    // How the helper ended, its exit code tells.
  }
  clearTimeout(patience);
  stderr.end();
}

/** A client whose server was stopped or replaced should say that, not "lost connection". */
async function whyFailed(
  api: DockerApi,
  container: Container,
  place: Extract<Place, { kind: 'helper' }>,
  failure: LifeboatError,
): Promise<unknown> {
  return checkNeighbour(api, container, place).then(
    () => failure,
    (reason: unknown) => reason,
  );
}

function killed(title: string): LifeboatError {
  return new LifeboatError('DUMP_INCOMPLETE', `${title} was killed in its helper`, {
    hint: 'look for an out-of-memory kill on the host',
    retryable: true,
  });
}
