import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { killedHint } from '../domain/advice.ts';
import { LifeboatError } from '../domain/errors.ts';
import { isRedirectable } from '../domain/shell.ts';
import type { Fifo } from './fifo.ts';

/**
 * Writes the bytes into the pipe by a child process, which can be killed while it waits for a reader: the decoder itself
 * where the bytes can be redirected, else one that only hands them on.
 */
export async function feed(input: Readable, fifo: Fifo, signal: AbortSignal): Promise<void> {
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
