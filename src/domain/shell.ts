import type { Readable } from 'node:stream';
import type { Container, Mount } from './types.ts';

/**
 * The door through which an engine reaches the world. Every pitfall of the Engine's exec and attach (lost tails, clean
 * ends of cut streams, unknown exit codes, missing back-pressure) is handled behind it.
 */

/**
 * Where a command runs: in the container itself, in a helper of an image beside it, in a helper of our own image, or as a
 * child process of ours.
 */
export type Place =
  | { readonly kind: 'container' }
  | {
      readonly kind: 'helper';
      /** An image reference or ID; absent means the container's own image. `own` means Lifeboat's image. */
      readonly image?: string | 'own';
      /** `target` shares the container's network; `none` is the default. */
      readonly network?: 'target' | 'none';
      readonly mounts?: readonly HelperMount[];
      readonly capabilities?: readonly string[];
      /** How much the command may write below /tmp; absent means a little. Much lies in a volume of ours, not in memory. */
      readonly scratchBytes?: number;
      /** How much memory it may use; absent means 1 GiB. */
      readonly memoryBytes?: number;
    }
  /** Beside Lifeboat itself, with the tools of our own image, where no helper may be made. Only for fixed scripts. */
  | { readonly kind: 'here' };

/** A mount of the target that a helper takes over by its explicit name, never by VolumesFrom. */
export interface HelperMount {
  readonly mount: Mount;
  readonly target: string;
  readonly readOnly: boolean;
}

/** The patience for a command that answers at once: generous, for hosts are busy. */
export const promptMs = 60_000;

export interface Command {
  /** Never holds a secret: the Engine broadcasts argv to everyone who listens to its events. */
  readonly argv: readonly [string, ...string[]];
  /** May hold secrets: neither events nor inspect show it. */
  readonly env?: Readonly<Record<string, string>>;
  /** User name or numeric id; absent means the container's own. */
  readonly user?: string | undefined;
  readonly cwd?: string | undefined;
  readonly place?: Place;
  /** What it reads on standard input unless `run` is given one; opened when the command is up and asks for it. */
  readonly input?: (signal?: AbortSignal) => Promise<Readable>;
  /** It needs the image only, not the running container, so it may run in a helper of that image where that is better. */
  readonly needsImageOnly?: boolean;
  /** It answers at once on a healthy host: `run` and `text` reject STALLED after so many milliseconds. */
  readonly timeoutMs?: number;
  /** Called for each line the command writes on standard error, as it comes. */
  readonly onStderrLine?: (line: string) => void;
}

/** A command that ended: its exit code is known, in band and from the Engine, and both agree. */
export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  /** The last 64 KiB. */
  readonly stderr: string;
}

/** A running command whose standard output is being read. */
export interface Output {
  /**
   * Ends only after exit code 0 was proven and every byte was delivered. Otherwise it is destroyed with COMMAND_FAILED,
   * DUMP_INCOMPLETE, SOURCE_REPLACED, STALLED or CANCELLED. Destroying it terminates the command.
   */
  readonly stdout: Readable;
  /** Settles with the stream. */
  readonly finished: Promise<Finished>;
}

/** Bytes that can also be written straight to a descriptor, so that they need not pass through this process. */
export interface Redirectable extends Readable {
  /** Resolves when all bytes were written; instead of reading the stream, not beside it. */
  writeTo(descriptor: number, signal: AbortSignal): Promise<void>;
}

export function isRedirectable(input: Readable | string | undefined): input is Redirectable {
  return typeof input === 'object' && 'writeTo' in input && typeof input.writeTo === 'function';
}

/** A file of ours that helpers can mount. Disposing removes it. */
export interface Scratch extends AsyncDisposable {
  /** Where we write it. */
  readonly path: string;
  /** How a helper gets it, where it lies there, and as whom it can be read. */
  readonly mount: HelperMount;
  readonly file: string;
  readonly user: string;
}

/** Bytes that lie whole in a file which helpers can mount: a command may read that instead of the stream. */
export interface OnDisk extends Readable {
  readonly scratch: Scratch;
}

export function isOnDisk(stream: Readable): stream is OnDisk {
  return 'scratch' in stream;
}

/** A helper that is ready to run with its standard output at a named pipe. Dispose of it in any case. */
export interface Piped extends AsyncDisposable {
  /** Our end of the pipe, to be handed to a child process before `run` is called, which closes our copy. */
  readonly fd: number;
  /** Runs the command; the pipe ends only after it did. Rejects when its exit code is not 0. */
  run(signal: AbortSignal): Promise<Finished>;
}

/** A conversation with an interactive client (psql, mysql) that keeps one server session open. */
export interface Session extends AsyncDisposable {
  /** Sends the text and resolves with what the client printed until it printed `marker` alone on a line. */
  ask(text: string, marker: string, signal?: AbortSignal): Promise<string>;
}

export interface Shell {
  /** As it is known now: read again after it was stopped and started. */
  readonly container: Container;
  /** Standard output as text (at most 16 MiB). Rejects COMMAND_FAILED when the exit code is not 0. */
  text(command: Command, signal?: AbortSignal): Promise<string>;
  /**
   * Runs to the end whatever the exit code; `input`, when given, becomes standard input. A stream for a helper goes
   * through a named pipe where that can be, round the Engine's relay.
   */
  run(command: Command, input?: Readable | string, signal?: AbortSignal): Promise<Finished>;
  /** Starts the command and hands out its standard output. */
  output(command: Command, signal?: AbortSignal): Promise<Output>;
  /** Opens a conversation; closing it ends the client, and so does our own death. */
  session(command: Command, signal?: AbortSignal): Promise<Session>;
  /** Why named pipes cannot be used for this container; undefined when they can. */
  whyNoPipes(): string | undefined;
  /** A helper that writes its standard output to a named pipe; its user, when one is named, must be numeric. */
  pipe(command: Command): Promise<Piped>;
  /** A file for so many bytes that helpers can mount; undefined where there is none, or no room for it. */
  scratch(bytes: number): Promise<Scratch | undefined>;
  /** Stops the container, journalled; disposing starts it again, unless another run holds it as well. */
  stopped(signal?: AbortSignal): Promise<AsyncDisposable>;
  /** Starts the container unless it runs: one that died by itself is not started by what `stopped` gave. */
  start(signal?: AbortSignal): Promise<void>;
  /**
   * Pauses the container where it runs, journalled; disposing lets it go on, unless another run holds it as well. Whatever
   * is to be executed in it waits meanwhile.
   */
  paused(signal?: AbortSignal): Promise<AsyncDisposable>;
  /**
   * A tar of one path, also from a stopped or paused container and from its own layer. The Engine holds the container's
   * lock until the stream was read: never let a slow reader hang on it.
   */
  copyOut(path: string, signal?: AbortSignal): Promise<Readable>;
  /** Unpacks a tar into a folder of the container, also a stopped one. */
  copyIn(folder: string, tar: Readable, signal?: AbortSignal): Promise<void>;
}
