import { PassThrough, type Readable } from 'node:stream';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';

/** One consumer of a stream that several consumers read at once. */
export interface Branch<T> {
  readonly name: string;
  /** Reads the body to its end and resolves. When it rejects, all other branches are aborted. */
  consume(body: Readable, signal: AbortSignal): Promise<T>;
  /** It may resolve before the end of the stream (a prover that has seen enough); the rest then passes it by. */
  readonly mayEndEarly?: boolean;
  /** Its failure drops this branch only (one of several destinations). */
  readonly mayFail?: boolean;
}

/** Per branch and beside the consumers' own buffers. */
const bufferBytes = 1024 * 1024;

/**
 * Fans a stream out to several consumers. The slowest sets the pace, so memory stays bounded; the same chunks go to all.
 * Rejects with the first failure, after every consumer has settled. Results stand in the order of the branches; only a
 * branch that may fail can be `rejected` there.
 */
export async function tee<T>(
  source: Readable,
  branches: readonly Branch<T>[],
  signal: AbortSignal,
): Promise<PromiseSettledResult<T>[]> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let alive = branches.length;
  const fail = (cause: unknown, branch?: Branch<T>): void => {
    alive -= 1;
    if (!branch?.mayFail || alive === 0) stop.abort(cause);
  };
  const runs = branches.map((branch) => start(branch, both, fail));
  const settled = Promise.allSettled(runs.map((run) => run.result));
  const end = (error?: Error): void => {
    for (const run of runs) error ? run.body.destroy(error) : run.body.end();
  };
  const halted = Promise.withResolvers<void>();
  const halt = (): void => {
    const cause = asError(both.reason);
    source.on('error', () => undefined).destroy(cause);
    end(cause);
    halted.resolve();
  };
  both.addEventListener('abort', halt, { once: true });
  if (both.aborted) halt();
  const pump = async (): Promise<void> => {
    try {
      for await (const chunk of source) await Promise.all(runs.map((run) => run.offer(chunk)));
      end();
    } catch (error) {
      fail(error);
    }
  };
  // A source over a generator closes only when that yields again: an abort does not wait for it.
  await Promise.race([pump(), halted.promise]);
  const results = await settled;
  both.removeEventListener('abort', halt);
  if (both.aborted) throw asError(both.reason);
  return results;
}

type Fail<T> = (cause: unknown, branch: Branch<T>) => void;

interface Run<T> {
  readonly body: PassThrough;
  readonly result: Promise<T>;
  /** Resolves when the branch can take more, or never will. */
  offer(chunk: Uint8Array): Promise<void>;
}

function start<T>(branch: Branch<T>, signal: AbortSignal, fail: Fail<T>): Run<T> {
  const body = new PassThrough({ highWaterMark: bufferBytes });
  // Whoever stops reading says why by how its promise settles.
  body.on('error', () => undefined);
  let wake: (() => void) | undefined;
  for (const event of ['drain', 'close'] as const) body.on(event, () => wake?.());
  const consume = async (): Promise<T> => {
    try {
      const value = await branch.consume(body, signal);
      if (!branch.mayEndEarly && !body.readableEnded) {
        throw new LifeboatError('INTERNAL', `${branch.name} was content before the end of the stream`);
      }
      return value;
    } catch (error) {
      fail(error, branch);
      throw error;
    } finally {
      body.destroy();
    }
  };
  const offer = async (chunk: Uint8Array): Promise<void> => {
    if (body.destroyed || body.write(chunk)) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  };
  return { body, result: consume(), offer };
}

/** The reason of an abort as it was given, or as CANCELLED when nobody gave one. */
function asError(reason: unknown): Error {
  const isSilent = !(reason instanceof Error) || reason.name === 'AbortError' || reason.name === 'TimeoutError';
  return isSilent ? asLifeboatError(reason) : reason;
}
