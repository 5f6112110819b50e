import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { killedHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Command, Finished, Output } from '../domain/shell.ts';
import { commandFailed } from './command-failure.ts';
import { canWriteAgain } from './enveloped.ts';
import { LineTail } from './line-tail.ts';

interface ChildOptions {
  readonly input?: Readable | undefined;
  readonly anyExitCode: boolean;
}

/**
 * Runs a command as a child process of ours. Nothing lies between it and us, so its pipes and its exit code need no
 * envelope. It sees none of our environment, which holds keys.
 */
export function childOutput(command: Command, options: ChildOptions, signal: AbortSignal | undefined): Output {
  const finished = Promise.withResolvers<Finished>();
  finished.promise.catch(() => {}); // The stream carries the same failure.
  const givenUp = new AbortController();
  const both = signal ? AbortSignal.any([signal, givenUp.signal]) : givenUp.signal;
  const stdout = Readable.from(read(command, options, finished, both), { objectMode: false });
  const destroy = stdout._destroy;
  // A generator that waits for a silent program would be told of the end only when that speaks again.
  stdout._destroy = (error, callback) => {
    givenUp.abort(error ?? new LifeboatError('CANCELLED', `${command.argv[0]} was cancelled`));
    destroy.call(stdout, error, callback);
  };
  return { stdout, finished: finished.promise };
}

async function* read(
  command: Command,
  { input, anyExitCode }: ChildOptions,
  finished: PromiseWithResolvers<Finished>,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const [tool, ...args] = command.argv;
  const stderr = new LineTail(command.onStderrLine);
  let child: ChildProcess | undefined;
  let failure: unknown;
  const fail = (cause: unknown): void => {
    failure ??= cause;
    if (child) killGroup(child);
  };
  const cancel = (): void => fail(signal.reason);
  try {
    signal.throwIfAborted();
    signal.addEventListener('abort', cancel, { once: true });
    const { PATH = '/usr/bin:/bin', TMPDIR = '/tmp' } = process.env;
    child = spawn(tool, args, {
      stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
      detached: true, // A group of its own, so that what a script started ends with it.
      env: { PATH, TMPDIR, LC_ALL: 'C.UTF-8', ...command.env },
      cwd: command.cwd,
    });
    const closed = once(child, 'close');
    closed.catch(() => {}); // A program that cannot be started is reported by what is awaited below.
    child.stderr?.on('data', (bytes: Buffer) => stderr.push(bytes));
    if (input && child.stdin) feed(input, child.stdin).catch(fail);
    yield* child.stdout as AsyncIterable<Buffer>;
    const [exitCode] = await closed;
    stderr.end();
    if (failure) throw failure;
    if (exitCode === null) throw new LifeboatError('DUMP_INCOMPLETE', `${tool} was killed`, { hint: killedHint });
    if (exitCode !== 0 && !anyExitCode) throw commandFailed(tool, exitCode, stderr.text);
    finished.resolve({ exitCode, stdout: '', stderr: stderr.text });
  } catch (thrown) {
    const missing = (thrown as { code?: string }).code === 'ENOENT';
    const error = missing
      ? new LifeboatError('TOOL_MISSING', `${tool} is not installed beside Lifeboat`, {
          hint: `install ${tool}, or use Lifeboat's own image, which brings it`,
          cause: thrown,
        })
      : asLifeboatError(failure ?? thrown);
    finished.reject(error);
    throw error;
  } finally {
    finished.reject(asLifeboatError(failure ?? new LifeboatError('CANCELLED', `${tool} was cancelled`))); // A reader who left.
    signal.removeEventListener('abort', cancel);
    if (child) killGroup(child);
    input?.destroy();
  }
}

/** A program may end without reading everything; a source that breaks must not look like its end. */
async function feed(input: Readable, stdin: Writable): Promise<void> {
  stdin.on('error', () => {}); // The program closed it.
  for await (const chunk of input) {
    if (stdin.destroyed) return;
    if (!stdin.write(chunk)) await canWriteAgain(stdin);
  }
  stdin.end();
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (error) {
    if ((error as { code?: string }).code !== 'ESRCH') throw error; // It was gone already.
  }
}
