import { spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { damagedHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';

/** A decoder that writes to a descriptor: the plain bytes never pass through this process. */
export interface Sink {
  readonly input: Writable;
  /** How many plain bytes were written, once the decoder has accepted all input. */
  readonly done: Promise<number>;
}

/** Decodes Zstandard, or gzip where zstd was built with it, into a descriptor. Rejects ARTIFACT_CORRUPT, or COMMAND_FAILED when whoever reads it went away. */
export function zstdSink(output: number, signal: AbortSignal): Sink {
  // Verbose: its last line says how many bytes it wrote, which nobody else sees here.
  const child = spawn('zstd', ['-d', '-c', '-v', '--no-progress'], { stdio: ['pipe', output, 'pipe'] });
  const abort = () => child.kill('SIGKILL');
  signal.addEventListener('abort', abort, { once: true });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096);
  });
  const { promise: done, resolve, reject } = Promise.withResolvers<number>();
  child.on('error', (cause) =>
    reject(
      new LifeboatError('TOOL_MISSING', 'the program zstd cannot be started', {
        hint: "install zstd, or use Lifeboat's own image, which brings it",
        cause,
      }),
    ),
  );
  child.on('close', (code) => {
    signal.removeEventListener('abort', abort);
    const bytes = /: (\d+) bytes\s*$/.exec(said)?.[1];
    if (signal.aborted) reject(asLifeboatError(signal.reason));
    else if (code === 0 && bytes !== undefined) resolve(Number(bytes));
    else if (code === 0)
      reject(new LifeboatError('INTERNAL', `zstd did not say how much it wrote: ${said.slice(-200)}`));
    else if (/broken pipe/i.test(said))
      reject(new LifeboatError('COMMAND_FAILED', 'whoever reads the decoded bytes went away'));
    else
      reject(
        new LifeboatError('ARTIFACT_CORRUPT', `zstd refuses the stored bytes: ${said.trim().split('\n').at(-1)}`, {
          hint: damagedHint,
        }),
      );
  });
  done.catch(() => {}); // The input fails as well; whoever feeds it reports one of both.
  if (!child.stdin) throw new LifeboatError('INTERNAL', 'zstd was started without an input');
  return { input: child.stdin, done };
}

/**
 * Feeds all of the source to the sink; resolves with how many plain bytes it wrote. When the source broke, that is what is
 * told, and not what the decoder thinks of bytes that were cut: a server that is away is no damage.
 */
export async function feedSink(source: Readable, sink: Sink, signal: AbortSignal): Promise<number> {
  const feeding = pipeline(source, sink.input, { signal });
  feeding.catch(() => {}); // Asked below.
  try {
    const bytes = await sink.done;
    await feeding;
    return bytes;
  } catch (error) {
    const broken = await feeding.catch((cause: unknown) => cause);
    throw broken instanceof LifeboatError ? broken : error;
  }
}
