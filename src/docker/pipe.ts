import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { killedHint } from '../domain/advice.ts';
import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { type Command, type Finished, isRedirectable, type Piped, type Place } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import { answerOf } from './answer.ts';
import type { DockerApi, HelperSpec } from './api.ts';
import { commandFailed } from './command-failure.ts';
import { demux } from './demux.ts';
import { pipeScript } from './envelope.ts';
import { type Fifo, fifoToRead, fifoToWrite } from './fifo.ts';
import { checkNeighbour, type Helper, type HelperOwner, helperOutput, launch } from './helper.ts';
import { LineTail } from './line-tail.ts';
import { silenceMs, watchSilence } from './watch.ts';

/** The folder for named pipes: ours at `path`, a helper's through the volume behind it. */
export interface PipeFolder {
  readonly path: string;
  readonly volume: string;
}

/** Helpers at pipes need no rights at all, unless they read what belongs to somebody: nobody on every distribution. */
export const nobody = { uid: 65_534, gid: 65_534 };
/** Mounts of a part of a volume came with API 1.45 (Engine 26). */
const subpathVersion = [1, 45] as const;

let opened = 0;

/** Why commands cannot be run at pipes here; undefined when they can. */
export function whyNoPipes(api: DockerApi, folder: PipeFolder | undefined, container: Container): string | undefined {
  if (!folder) return 'the sidecar has no volume at /run/lifeboat';
  const [major = 0, minor = 0] = api.engine.apiVersion.split('.').map(Number);
  if (major < subpathVersion[0] || (major === subpathVersion[0] && minor < subpathVersion[1])) {
    return `the Engine speaks API ${api.engine.apiVersion}, mounting a part of a volume needs 1.45`;
  }
  if (container.usernsMode !== '') return `the container runs in the user namespace "${container.usernsMode}"`;
  return undefined;
}

/** Removes the pipes that a killed process left behind. */
export async function reapPipes({ path }: PipeFolder): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
}

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
  const pipe = await makePipe(fifoToRead, folder, owner, user);
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
  await using pipe = await makePipe(fifoToWrite, folder, owner, user);
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

type PipeMount = HelperSpec['mounts'][number];

/** A pipe of its own folder, of which a helper mounts only that folder. */
async function makePipe(
  make: typeof fifoToRead,
  folder: PipeFolder,
  owner: HelperOwner,
  user: string,
): Promise<AsyncDisposable & { readonly fifo: Fifo; readonly mount: PipeMount }> {
  const [uid, gid = uid] = user.split(':').map(Number);
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new LifeboatError('INTERNAL', `a helper at a pipe needs a numeric user, not "${user}"`);
  }
  opened += 1;
  const name = `${owner.run}-${process.pid}-${opened}`;
  const own = join(folder.path, name);
  await mkdir(own);
  await chmod(own, 0o711); // Lets the helper pass, not look.
  const fifo = await make(join(own, 'pipe'), { uid: uid as number, gid: gid as number });
  return {
    fifo,
    mount: { type: 'volume', source: folder.volume, target: '/pipe', readOnly: false, subpath: name },
    [Symbol.asyncDispose]: async () => {
      fifo.end.close();
      fifo.keeper.close();
      await rm(own, { recursive: true, force: true });
    },
  };
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

/**
 * Writes the bytes into the pipe by a child process, which can be killed while it waits for a reader: the decoder itself
 * where the bytes can be redirected, else one that only hands them on.
 */
async function feed(input: Readable, fifo: Fifo, signal: AbortSignal): Promise<void> {
  if (isRedirectable(input)) {
    const writing = input.writeTo(fifo.end.fd, signal);
    fifo.end.close();
    return writing;
  }
  const child = spawn('cat', { stdio: ['pipe', fifo.end.fd, 'ignore'] });
  fifo.end.close();
  if (!child.stdin) throw new LifeboatError('INTERNAL', 'cat was started without an input');
  const closed = once(child, 'close');
  closed.catch(() => {}); // A program that cannot be started breaks its input as well.
  const abort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  try {
    await pipeline(input, child.stdin, { signal });
    const [exitCode] = await closed;
    if (exitCode !== 0)
      throw new LifeboatError('COMMAND_FAILED', 'the bytes could not be handed on: cat was killed', {
        hint: killedHint,
      });
  } catch (error) {
    abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
