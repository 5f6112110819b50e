import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LifeboatError } from '../domain/errors.ts';
import type { Journal } from '../domain/journal.ts';
import { type Command, type Finished, isRedirectable, type Output, type Session, type Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { childOutput } from './child.ts';
import { rediscover } from './discovery.ts';
import { commandFailed } from './enveloped.ts';
import { execOutput } from './exec.ts';
import { type HelperOwner, helperConversation, helperOutput } from './helper.ts';
import { checkIdentity } from './identity.ts';
import { openPipe, runFromPipe, whyNoPipes } from './pipe.ts';
import { pauseContainer, roleOf, startAgain, stopContainer } from './quiesce.ts';
import { openScratch } from './scratch.ts';
import { openSession } from './session.ts';

const textLimit = 16 * 1024 * 1024;

/** The door of one container, for one run. */
export function createShell(
  api: DockerApi,
  owner: HelperOwner,
  journal: Journal,
  target: Container,
  stopGraceMs: number,
): Shell {
  let container = target;

  async function start(
    command: Command,
    input: Readable | undefined,
    anyExitCode: boolean,
    signal?: AbortSignal,
  ): Promise<Output> {
    const place = command.place ?? { kind: 'container' };
    const options = { input: input ?? lateInput(command, signal), anyExitCode };
    if (place.kind === 'here') return childOutput(command, options, signal);
    if (place.kind === 'container') return execOutput(api, container, command, options, signal);
    return helperOutput(api, owner, container, command, place, options, signal);
  }

  const pipesWork = () => whyNoPipes(api, owner.pipes, container) === undefined;

  async function run(command: Command, input?: Readable | string, signal?: AbortSignal): Promise<Finished> {
    if (input instanceof Readable && command.needsImageOnly && isRedirectable(input) && owner.pipes && pipesWork()) {
      await using piped = await openPipe('in', api, owner, owner.pipes, container, command);
      return await runFromPipe(piped, input, signal ?? new AbortController().signal);
    }
    const source = typeof input === 'string' ? Readable.from([Buffer.from(input)], { objectMode: false }) : input;
    const output = await start(command, source, true, signal);
    const stdout = await text(limited(output.stdout, command.argv[0]));
    return { ...(await output.finished), stdout };
  }

  /** Its start time is part of its identity: after a stop and start it is read anew. */
  async function reread(): Promise<void> {
    container = await rediscover(api, container);
  }

  return {
    get container() {
      return container;
    },
    run,
    output: (command, signal) => start(command, undefined, false, signal),
    text: async (command, signal) => {
      const finished = await run(command, undefined, signal);
      if (finished.exitCode === 0) return finished.stdout;
      throw commandFailed(command.argv[0], finished.exitCode, finished.stderr);
    },
    session: async (command, signal): Promise<Session> => {
      if (command.place?.kind === 'helper')
        return helperConversation(api, owner, container, command, command.place, signal);
      await checkIdentity(api, container);
      const spec = { argv: command.argv, env: command.env, user: command.user, cwd: command.cwd };
      const socket = await api.startExec(await api.createExec(container.id, spec, signal), signal);
      return openSession(socket, command.argv[0], '', async () => {});
    },
    whyNoPipes: () => whyNoPipes(api, owner.pipes, container),
    pipe: (direction, command) => {
      const why = whyNoPipes(api, owner.pipes, container);
      if (!owner.pipes || why) throw new LifeboatError('INTERNAL', `a pipe was asked for although ${why}`);
      return openPipe(direction, api, owner, owner.pipes, container, command);
    },
    scratch: (bytes) => openScratch(api, owner, container, bytes),
    stopped: async () => {
      const stopped = await stopContainer(api, journal, container, stopGraceMs);
      return {
        [Symbol.asyncDispose]: async () => {
          await stopped[Symbol.asyncDispose]();
          await reread();
        },
      };
    },
    start: async () => {
      await startAgain(api, roleOf(container));
      await reread();
    },
    paused: () => pauseContainer(api, journal, container),
    copyOut: (path, signal) => api.archive(container.id, path, signal),
    copyIn: (folder, tar, signal) => api.putArchive(container.id, folder, tar, signal),
  };
}

/** The command's own input, opened only when it is first read. */
function lateInput({ input }: Command, signal: AbortSignal | undefined): Readable | undefined {
  if (!input) return undefined;
  async function* opened(open: NonNullable<Command['input']>) {
    yield* await open(signal);
  }
  return Readable.from(opened(input), { objectMode: false });
}

async function* limited(stdout: Readable, title: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > textLimit) throw new LifeboatError('COMMAND_FAILED', `${title} printed more than 16 MiB`);
    yield chunk;
  }
}
