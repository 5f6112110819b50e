import { PassThrough } from 'node:stream';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import { checkScript } from './scripts.ts';

/** What the server's own checking tool thinks of an RDB. */
export type Opinion =
  | { readonly kind: 'good'; readonly keys: number | undefined }
  | { readonly kind: 'bad'; readonly why: string }
  /** Nobody could be asked: no such tool in the image, no helper may be made, or it does not know the format. */
  | { readonly kind: 'none'; readonly why: string };

/** A check that goes on beside ours: give it the same bytes, then ask for its opinion. It never holds up ours for ever. */
export interface SecondOpinion extends AsyncDisposable {
  give(chunk: Buffer): Promise<void>;
  end(): Promise<Opinion>;
}

const noTool = 44;
const killed = 137;

/**
 * Feeds `redis-check-rdb` in a helper of the container's own image, without network. Never in the container itself: the
 * tool holds the largest value in memory, and a live server must not be killed for the proof of its backup.
 */
export function secondOpinion(shell: Shell, signal: AbortSignal): SecondOpinion {
  const input = new PassThrough({ highWaterMark: 1024 * 1024 });
  const done = new AbortController();
  input.on('error', () => {}); // A tool that ends early closes it; its opinion tells why.
  const opinion = ask(shell, input, AbortSignal.any([signal, done.signal])).finally(() => input.destroy());
  opinion.catch(() => {}); // Read by `end`, or of no interest after a failure of ours.
  return {
    give: async (chunk) => {
      if (!input.destroyed && !input.write(chunk)) await writable(input);
    },
    end: () => {
      input.end();
      return opinion;
    },
    [Symbol.asyncDispose]: async () => {
      done.abort();
      await opinion.catch(() => {});
    },
  };
}

async function ask(shell: Shell, input: PassThrough, signal: AbortSignal): Promise<Opinion> {
  const argv = ['sh', '-c', checkScript] as const;
  try {
    const { exitCode, stdout, stderr } = await shell.run(
      { argv, place: { kind: 'helper', network: 'none' } },
      input,
      signal,
    );
    if (exitCode === 0) {
      const [, keys] = /^\[info\] (\d+) keys read/m.exec(stdout) ?? [];
      return { kind: 'good', keys: keys === undefined ? undefined : Number(keys) };
    }
    if (exitCode === noTool) return { kind: 'none', why: 'the image has no redis-check-rdb' };
    if (exitCode === killed) return { kind: 'none', why: 'redis-check-rdb needs more memory than a helper has' };
    const said = `${stdout}\n${stderr}`;
    const later = /Can't handle RDB format version \d+/i.exec(said)?.[0];
    return later ? { kind: 'none', why: later } : { kind: 'bad', why: reasonIn(said) };
  } catch (error) {
    if (!isLifeboatError(error, 'TOOL_MISSING', 'DOCKER_REFUSED', 'DOCKER_UNAVAILABLE')) throw error;
    return { kind: 'none', why: error.message };
  }
}

/** `[offset 9040] Internal error in RDB reading …` says most. */
function reasonIn(said: string): string {
  const lines = said.trim().split('\n');
  const line = lines.find(
    (text) => /error|invalid|unexpected|wrong|truncated/i.test(text) && text.startsWith('[offset'),
  );
  return (line ?? lines.at(-1) ?? 'no reason given').slice(0, 300);
}

function writable(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      stream.off('drain', settle).off('close', settle);
      resolve();
    };
    stream.on('drain', settle).on('close', settle);
  });
}
