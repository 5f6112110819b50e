import { Readable } from 'node:stream';
import { LifeboatError } from '../domain/errors.ts';
import { type Command, type Finished, isRedirectable, type Output, type Session, type Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import { answerOf } from './answer.ts';
import type { DockerApi } from './api.ts';
import { childOutput } from './child.ts';
import { commandFailed } from './command-failure.ts';
import { rediscover } from './discovery.ts';
import { execOutput, hasEnded, openExec } from './exec.ts';
import { type HelperOwner, helperConversation, helperOutput } from './helper.ts';
import { checkIdentity } from './identity.ts';
import { openPipe, runFromPipe } from './pipe.ts';
import { whyNoPipes } from './pipe-folder.ts';
import { type Quiescer, roleOf, startAgain } from './quiesce.ts';
import { openScratch } from './scratch.ts';
import { openSession } from './session.ts';
import { endLost } from './watch.ts';

/** The door of one container, for one run. */
export function createShell(
  api: DockerApi,
  owner: HelperOwner,
  quiescer: Quiescer,
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
    if (place.kind === 'container') {
      const begin = () => execOutput(api, container, command, { ...options, check: () => check(signal) }, signal);
      return quiescer.whileFree(container, begin, signal);
    }
    return helperOutput(api, owner, container, command, place, options, signal);
  }

  async function run(command: Command, input?: Readable | string, signal?: AbortSignal): Promise<Finished> {
    using deadline = deadlineOf(command);
    const both = signal ? AbortSignal.any([signal, deadline.signal]) : deadline.signal;
    return await runAll(command, input, both); // Awaited, or the deadline would end here.
  }

  async function runAll(
    command: Command,
    input: Readable | string | undefined,
    signal: AbortSignal,
  ): Promise<Finished> {
    const { pipes } = owner;
    // One that could as well run in the container gets a helper only for bytes that then need not pass through here.
    const inHelper = command.place?.kind === 'helper' || (command.needsImageOnly === true && isRedirectable(input));
    if (input instanceof Readable && inHelper && pipes && whyNoPipes(api, pipes, container) === undefined) {
      const finished = await runFromPipe(api, owner, pipes, container, command, input, signal);
      if (finished) return finished;
    }
    const source = typeof input === 'string' ? Readable.from([Buffer.from(input)], { objectMode: false }) : input;
    const output = await start(command, source, true, signal);
    const stdout = await answerOf(output, command.argv[0]);
    return { ...(await output.finished), stdout };
  }

  /** One that another run of ours has paused just now is not taken for one that somebody paused. */
  function check(signal: AbortSignal | undefined): Promise<void> {
    return quiescer.whileFree(container, () => checkIdentity(api, container), signal);
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
      const { id, socket } = await quiescer.whileFree(
        container,
        () => openExec(api, container, command, signal),
        signal,
      );
      const stillThere = async () => {
        await check(signal);
        if (await hasEnded(api, id)) throw endLost(command.argv[0]);
      };
      return openSession({
        socket,
        title: command.argv[0],
        preamble: '',
        check: stillThere,
        dispose: async () => {},
      });
    },
    whyNoPipes: () => whyNoPipes(api, owner.pipes, container),
    pipe: (command) => {
      const why = whyNoPipes(api, owner.pipes, container);
      if (!owner.pipes || why) throw new LifeboatError('INTERNAL', `a pipe was asked for although ${why}`);
      return openPipe(api, owner, owner.pipes, container, command);
    },
    scratch: (bytes) => openScratch(api, owner, container, bytes),
    stopped: async (signal) => {
      const stopped = await quiescer.stop(container, stopGraceMs, signal);
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
    paused: (signal) => quiescer.pause(container, signal),
    copyOut: (path, signal) => api.archive(container.id, path, signal),
    copyIn: (folder, tar, signal) => api.putArchive(container.id, folder, tar, signal),
  };
}

/** Aborts when the command has taken longer than it may, where that is known. */
function deadlineOf({ argv, timeoutMs }: Command): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const late = () =>
    new LifeboatError('STALLED', `${argv[0]} did not answer within ${(timeoutMs ?? 0) / 1000} s`, {
      hint: 'see docker stats and docker logs of the container for what keeps it, and try again',
      retryable: true,
    });
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => controller.abort(late()), timeoutMs);
  return { signal: controller.signal, [Symbol.dispose]: () => clearTimeout(timer) };
}

/** The command's own input, opened only when it is first read. */
function lateInput({ input }: Command, signal: AbortSignal | undefined): Readable | undefined {
  if (!input) return undefined;
  async function* opened(open: NonNullable<Command['input']>) {
    yield* await open(signal);
  }
  return Readable.from(opened(input), { objectMode: false });
}
