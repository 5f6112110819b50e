import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import type { Command, Finished, Piped, Redirectable } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { demux } from './demux.ts';
import { pipeScript } from './envelope.ts';
import { commandFailed } from './enveloped.ts';
import { type Fifo, fifoToRead, fifoToWrite } from './fifo.ts';
import { type HelperOwner, launch } from './helper.ts';
import { LineTail } from './line-tail.ts';

/** The folder for named pipes: ours at `path`, a helper's through the volume behind it. */
export interface PipeFolder {
  readonly path: string;
  readonly volume: string;
}

/** Helpers at pipes need no rights at all: nobody on every distribution. */
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
 * Prepares a helper whose standard output (or input) is a named pipe. The bytes go from process to process and never
 * through the Engine's relay, which costs five times as much and can lose the end of a stream.
 */
export async function openPipe(
  direction: 'out' | 'in',
  api: DockerApi,
  owner: HelperOwner,
  folder: PipeFolder,
  container: Container,
  command: Command,
): Promise<Piped> {
  opened += 1;
  // One folder per pipe, and a helper sees only its own: 0711 lets it pass, not look.
  const name = `${owner.run}-${process.pid}-${opened}`;
  const own = join(folder.path, name);
  await mkdir(own);
  await chmod(own, 0o711);
  const fifo = await (direction === 'out' ? fifoToRead : fifoToWrite)(join(own, 'pipe'), nobody);
  const mount = { type: 'volume' as const, source: folder.volume, target: '/pipe', readOnly: false, subpath: name };
  return {
    fd: fifo.end.fd,
    run: (signal, anyExitCode = false) =>
      runAtPipe(direction, api, owner, container, command, mount, fifo, anyExitCode, signal),
    [Symbol.asyncDispose]: async () => {
      fifo.end.close();
      fifo.keeper.close();
      await rm(own, { recursive: true, force: true });
    },
  };
}

type PipeMount = Parameters<typeof launch>[6];

async function runAtPipe(
  direction: 'out' | 'in',
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  mount: PipeMount,
  fifo: Fifo,
  anyExitCode: boolean,
  signal: AbortSignal,
): Promise<Finished> {
  fifo.end.close(); // The child process has its own copy; ours would hide its death.
  const place = command.place?.kind === 'helper' ? command.place : { kind: 'helper' as const };
  const script = pipeScript(direction, command.argv, command.env ?? {});
  try {
    const user = `${nobody.uid}:${nobody.gid}`;
    const helper = await launch(api, owner, container, { ...command, user }, place, script, mount, signal);
    const kill = () => void api.kill(helper.id);
    signal.addEventListener('abort', kill, { once: true });
    const stderr = new LineTail(command.onStderrLine);
    try {
      helper.socket.write(script.preamble);
      const listening = listen(helper.socket, stderr, fifo);
      const exitCode = await helper.exit;
      await listening;
      signal.throwIfAborted();
      if (exitCode === 137) throw killed(command.argv[0]);
      if (exitCode !== 0 && !anyExitCode) throw commandFailed(command.argv[0], exitCode, stderr.text);
      return { exitCode, stdout: '', stderr: stderr.text };
    } finally {
      signal.removeEventListener('abort', kill);
      helper.socket.destroy();
      await helper.dispose();
    }
  } finally {
    // Only now may the other side see the end: how the helper ended is known.
    fifo.keeper.close();
  }
}

/** What a helper at a pipe says: that it has opened the pipe, and messages. How it ended, its exit code tells. */
async function listen(socket: AsyncIterable<Buffer>, stderr: LineTail, fifo: Fifo): Promise<void> {
  try {
    for await (const piece of demux(socket)) {
      if (piece.stream === 'stdout') fifo.isOpened();
      else stderr.push(piece.bytes);
    }
  } catch {
    // A connection that breaks takes messages with it, not data.
  }
  stderr.end();
}

function killed(title: string): LifeboatError {
  return new LifeboatError('DUMP_INCOMPLETE', `${title} was killed in its helper`, {
    hint: 'look for an out-of-memory kill on the host',
    retryable: true,
  });
}

/**
 * Runs a command in a helper with redirectable bytes as its standard input, through a pipe. A command that stops reading
 * early is its own verdict; the bytes' own failure counts only when the command had none to find.
 */
export async function runFromPipe(piped: Piped, input: Redirectable, signal: AbortSignal): Promise<Finished> {
  const writing = input.writeTo(piped.fd, signal).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  const finished = await piped.run(signal, true);
  const failed = await writing;
  if (failed && finished.exitCode === 0) throw failed.error;
  return finished;
}
