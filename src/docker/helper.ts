import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Command, Output, Place, Session } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi, HelperSpec } from './api.ts';
import { type Envelope, type EnvelopeMode, helperEnvelope, helperSession } from './envelope.ts';
import { readEnveloped } from './enveloped.ts';
import { specOf } from './helper-spec.ts';
import { checkIdentity } from './identity.ts';
import { ownerLabel, roleLabel } from './labels.ts';
import type { PipeFolder } from './pipe-folder.ts';
import { openSession } from './session.ts';
import { endLost } from './watch.ts';

type HelperPlace = Extract<Place, { kind: 'helper' }>;

/** Who asks for helpers: it names and labels them, so that a later start can tell and remove what a killed run left. */
export interface HelperOwner {
  readonly id: string;
  readonly run: string;
  /** Image ID of Lifeboat itself, when it runs in a container or was told. */
  readonly ownImage?: string | undefined;
  /** Where named pipes are shared with helpers; absent where there is no such volume. */
  readonly pipes?: PipeFolder | undefined;
}

export interface HelperOptions {
  readonly input?: Readable | undefined;
  readonly anyExitCode?: boolean;
  /** The command reads a named pipe instead. */
  readonly pipe?: PipeEnd | undefined;
}

/** Where a helper finds a named pipe, and what to do when it has one. */
export interface PipeEnd {
  readonly mount: HelperSpec['mounts'][number];
  /** Called when the helper is about to run, and not at all when none could be made. */
  launched(): void;
  /** Called when the helper has opened the pipe. */
  opened(): void;
}

/** Runs a command as the main process of a short-lived container beside the target. */
export async function helperOutput(
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  place: HelperPlace,
  { input, anyExitCode = false, pipe }: HelperOptions,
  signal: AbortSignal | undefined,
): Promise<Output> {
  const mode: EnvelopeMode = pipe ? 'pipe' : input ? 'feed' : 'dump';
  const envelope = helperEnvelope(mode, command.argv, command.env ?? {});
  const helper = await launch(api, owner, container, command, place, envelope, pipe?.mount, signal);
  pipe?.launched();
  return readEnveloped(
    {
      socket: helper.socket,
      envelope,
      title: command.argv[0],
      input,
      onMark: pipe?.opened,
      onStderrLine: command.onStderrLine,
      exitCode: () => helper.exit,
      hasEnded: async () => helper.hasEnded(),
      check: () => checkNeighbour(api, container, place),
      dispose: helper.dispose,
    },
    anyExitCode,
    signal,
  );
}

/** Opens a conversation with a client in a helper. */
export async function helperConversation(
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  place: HelperPlace,
  signal: AbortSignal | undefined,
): Promise<Session> {
  const { argv, preamble } = helperSession(command.argv, command.env ?? {});
  const { socket, hasEnded, dispose } = await launch(
    api,
    owner,
    container,
    command,
    place,
    { argv },
    undefined,
    signal,
  );
  const title = command.argv[0];
  const check = async () => {
    await checkNeighbour(api, container, place);
    if (hasEnded()) throw endLost(title);
  };
  return openSession({ socket, title, preamble, check, dispose });
}

/** A helper on the container's network works on what runs there: it is worth nothing when that is no longer the same. */
export async function checkNeighbour(api: DockerApi, container: Container, place: HelperPlace): Promise<void> {
  if (place.network === 'target') await checkIdentity(api, container);
}

/** Removes helpers, and their scratch volumes, that a killed run of this owner left behind; returns how many. */
export async function reapHelpers(api: DockerApi, owner: string): Promise<number> {
  const left = await api.containers([`${ownerLabel}=${owner}`]);
  for (const id of left) await discard(api, id, undefined);
  for (const volume of await api.volumes([`${ownerLabel}=${owner}`, roleLabel])) await api.removeVolume(volume);
  return left.length;
}

/** A container of ours that has been started. */
export interface Helper {
  readonly id: string;
  /** Its standard streams, multiplexed. */
  readonly socket: Socket;
  /** Resolves with its exit code. */
  readonly exit: Promise<number>;
  hasEnded(): boolean;
  /** Removes it, whatever it does. */
  dispose(): Promise<void>;
}

/** Creates a helper, attaches to it and starts it, in this order, so that nothing it says is lost. */
export async function launch(
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  place: HelperPlace,
  { argv }: Pick<Envelope, 'argv'>,
  extra: HelperSpec['mounts'][number] | undefined,
  signal: AbortSignal | undefined,
): Promise<Helper> {
  const described = await specOf(api, owner, container, command, place, argv);
  const spec = extra ? { ...described, mounts: [...described.mounts, extra] } : described;
  signal?.throwIfAborted();
  // Not cut off: the Engine makes it all the same, and nobody would know of it.
  const id = await api.createHelper(spec);
  const dispose = () => discard(api, id, spec.scratchVolume);
  try {
    signal?.throwIfAborted();
    const socket = await api.attach(id, signal); // Before start: what is written earlier is lost to a late reader.
    await api.start(id, signal);
    let isOver = false;
    const exit = exitCode(api, id, signal);
    exit.then(() => (isOver = true)).catch(() => {});
    return { id, socket, exit, hasEnded: () => isOver, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** How long one question for an exit code may stay open. */
const waitMs = 10_000;

/**
 * The exit code of a started container. Asked again and again, because an answer can get lost on the way, and asked after
 * the start: a question for the next exit that arrives when a short-lived container has ended already is never answered.
 */
async function exitCode(api: DockerApi, id: string, signal: AbortSignal | undefined): Promise<number> {
  for (;;) {
    const patience = AbortSignal.timeout(waitMs);
    try {
      return await api.wait(id, signal ? AbortSignal.any([signal, patience]) : patience);
    } catch (error) {
      if (!patience.aborted || signal?.aborted) throw error;
    }
  }
}

async function discard(api: DockerApi, id: string, scratchVolume: string | undefined): Promise<void> {
  await api.kill(id);
  await api.remove(id);
  if (scratchVolume !== undefined) await api.removeVolume(scratchVolume);
}
