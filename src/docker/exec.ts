import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Command, Output } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { execEnvelope } from './envelope.ts';
import { readEnveloped } from './enveloped.ts';
import { checkIdentity } from './identity.ts';

export interface ExecOptions {
  readonly input: Readable | undefined;
  readonly anyExitCode: boolean;
  /** Rejects with the reason when the container is no longer what it was. */
  check(): Promise<void>;
}

/**
 * Runs a command in a running container through the envelope. With `input` it reads that as standard input, else none.
 */
export async function execOutput(
  api: DockerApi,
  container: Container,
  command: Command,
  options: ExecOptions,
  signal: AbortSignal | undefined,
): Promise<Output> {
  const envelope = execEnvelope(options.input ? 'feed' : 'dump', command.argv, command.env ?? {});
  const { argv, env } = envelope;
  const { id, socket } = await openExec(api, container, { ...command, argv, env }, signal);
  return readEnveloped(
    {
      socket,
      envelope,
      title: command.argv[0],
      input: options.input,
      onStderrLine: command.onStderrLine,
      exitCode: () => execExitCode(api, id),
      check: options.check,
      hasEnded: () => hasEnded(api, id),
      dispose: async () => {},
    },
    options.anyExitCode,
    signal,
  );
}

/** Starts a command in the very container that was discovered. */
export async function openExec(
  api: DockerApi,
  container: Container,
  { argv, env, user, cwd }: Pick<Command, 'env' | 'user' | 'cwd'> & { readonly argv: readonly string[] },
  signal: AbortSignal | undefined,
): Promise<{ readonly id: string; readonly socket: Socket }> {
  await checkIdentity(api, container);
  const id = await api.createExec(container.id, { argv, env, user, cwd }, signal);
  return { id, socket: await api.startExec(id, signal) };
}

/**
 * The exit code of an exec that has ended. It is recorded before the streams close on Docker but may come late on Podman,
 * so it is asked for up to five seconds. "Running" and "unknown" are never success.
 */
async function execExitCode(api: DockerApi, execId: string): Promise<number> {
  for (let waited = 0, pause = 50; waited < 5_000; waited += pause, pause = Math.min(pause * 2, 1_000)) {
    const state = await api.exec(execId);
    if (!state) throw new LifeboatError('SOURCE_REPLACED', 'the container was removed while a command ran in it');
    if (!state.running && state.exitCode !== undefined) return state.exitCode;
    await sleep(pause);
  }
  throw new LifeboatError('DUMP_INCOMPLETE', 'the stream ended while the command was still running', {
    retryable: true,
    hint: 'a socket proxy between Lifeboat and the Engine cuts quiet connections; raise its time-outs',
  });
}

/** Whether an exec is over; one whose container was removed is. */
export async function hasEnded(api: DockerApi, execId: string): Promise<boolean> {
  const state = await api.exec(execId);
  return state === undefined || (!state.running && state.exitCode !== undefined);
}
