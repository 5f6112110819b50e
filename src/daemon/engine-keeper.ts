import { asLifeboatError, isLifeboatError } from '../domain/errors.ts';
import { failureFields, type Log } from '../domain/log.ts';
import type { Failure } from '../domain/run-event.ts';
import { once } from '../runs/context.ts';
import { failureOf } from '../runs/history/run-log.ts';
import type { DiskJournal } from '../runs/journal/journal.ts';
import { type Repaired, type Unrepaired, unrepairedText } from '../runs/journal/repair.ts';
import { type Backoff, pause, untilDone } from './backoff.ts';
import type { Organ } from './health.ts';

/** The Engine as the daemon needs it. */
export interface EngineDoor {
  /** Puts back what an earlier process, or one cut off from the Engine, left behind. Connects if need be. */
  putBack(): Promise<Repaired>;
  /** Follows the Engine's events until the signal fires. */
  watch(watch: EngineWatch, signal: AbortSignal): Promise<void>;
}

export interface EngineWatch {
  connected(): void;
  changed(): void;
  lost(error: unknown): void;
}

export interface EngineKeeper extends Organ {
  /**
   * Resolves when nothing is left to put back; whoever makes helpers or stops containers enters here first. Nothing is put
   * back before all have left, as it could be theirs. Rejects when the Engine is away.
   */
  enter(): Promise<Disposable>;
  /** Keeps the connection and puts back what is left until the signal fires. Never rejects. */
  keep(signal: AbortSignal): Promise<void>;
}

export interface EngineKeeperParts {
  readonly engine: EngineDoor;
  readonly journal: DiskJournal;
  readonly log: Log;
  /** Containers may have come or gone. */
  changed(): void;
  /** An earlier process left this, and it needs a person. */
  foundOpen?(left: Unrepaired): void;
  /** The Engine answers again after it did not. */
  returned(): void;
  /** Looks once, as soon as the Engine answers, whether it lets us do everything. Rejects when it cannot be asked. */
  examine?(signal: AbortSignal): Promise<void>;
  readonly backoff?: Backoff;
  /** How often the journal is looked at for what a run could not put back itself. */
  readonly lookEveryMs?: number;
}

const usualBackoff: Backoff = { firstMs: 1_000, longestMs: 30_000 };
const usualLookEveryMs = 30_000;

export function createEngineKeeper(parts: EngineKeeperParts): EngineKeeper {
  const { engine, journal, log, backoff = usualBackoff, lookEveryMs = usualLookEveryMs } = parts;
  let ailment: Failure | undefined;
  let inside = 0;
  let later: { readonly done: Promise<void> } | undefined;

  const failed = (error: unknown) => {
    const failure = failureOf(error);
    const isJournal = isLifeboatError(error, 'QUIESCE_FAILED');
    const what = isJournal ? 'what was left cannot be put back' : 'the Docker Engine cannot be used';
    if (ailment?.message !== failure.message)
      log.warn(`${what}: ${failure.message}; trying again`, failureFields(failure));
    ailment = failure;
  };
  const works = () => {
    if (!ailment) return;
    ailment = undefined;
    log.info('the Docker Engine can be used again');
    parts.returned();
  };
  /** What needs a person is looked at again and again, and told once. */
  let told: ReadonlySet<string> = new Set();
  const putBack = async () => {
    const { done, open } = await engine.putBack();
    for (const line of done) log.info(`put back after an interruption: ${line}`);
    const lines = open.map(unrepairedText);
    for (const line of lines.filter((each) => !told.has(each))) log.warn(`after an interruption: ${line}`);
    told = new Set(lines);
    works();
    return open;
  };
  /** What runs of this process leave, they tell of themselves. */
  const first = once(async () => {
    for (const each of await putBack()) parts.foundOpen?.(each);
  });

  /** What a run itself could not put back, because the Engine was away just then. */
  async function putBackLater(): Promise<void> {
    const left = await journal.leftOpen();
    if (left.length === 0 || inside > 0) return;
    later = { done: putBack().then(() => undefined) };
    try {
      await later.done;
    } finally {
      later = undefined;
    }
  }

  async function enter(): Promise<Disposable> {
    try {
      await first();
      while (later) await later.done; // No pause between the last look and going in.
    } catch (error) {
      failed(error);
      throw asLifeboatError(error);
    }
    inside += 1;
    let isInside = true;
    return {
      [Symbol.dispose]: () => {
        if (isInside) inside -= 1;
        isInside = false;
      },
    };
  }

  /** Its helpers must not be taken for leftovers. */
  async function examineOnce(signal: AbortSignal): Promise<void> {
    if (signal.aborted || !parts.examine) return;
    using _inside = await enter();
    await parts.examine(signal);
  }

  return {
    ailment: () => ailment,
    enter,
    keep: async (signal) => {
      await untilDone(first, failed, signal, backoff);
      const examining = examineOnce(signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn('the Engine could not be examined', { error });
      });
      const watch = engine.watch(
        {
          connected: () => {
            works();
            parts.changed();
          },
          changed: parts.changed,
          lost: (error) => {
            // Without events containers are looked for every few minutes all the same.
            if (isLifeboatError(error, 'DOCKER_REFUSED')) log.debug('the Engine gives no events', { error });
            else failed(error);
          },
        },
        signal,
      );
      while (!signal.aborted) {
        await pause(lookEveryMs, signal);
        await putBackLater().catch(failed);
      }
      await Promise.all([watch, examining]);
    },
  };
}
