import { LifeboatError } from '../../domain/errors.ts';
import { shortId } from '../../domain/naming.ts';
import type { SourceName } from '../../domain/types.ts';

/** A run under way in this process. */
export interface RunningRun {
  readonly run: string;
  readonly trigger: string;
  readonly sources: readonly SourceName[];
  readonly startedAt: string;
}

/** The runs under way in this process, and the way to end them. */
export interface RunningRuns {
  /** Enters a run; its signal fires with the outer one or when it is cancelled. Disposing says that it is over. */
  begin(facts: RunningRun, outer: AbortSignal): Disposable & { readonly signal: AbortSignal };
  /** By whole or short id; returns the whole one. The run ends as soon as it has tidied up. Rejects RUN_NOT_FOUND. */
  cancel(id: string, reason: LifeboatError): string;
  /** Cancels every run and returns their ids. */
  cancelAll(reason: LifeboatError): readonly string[];
  all(): readonly RunningRun[];
  /** Resolves when nothing runs any more. */
  idle(): Promise<void>;
}

export function createRunningRuns(): RunningRuns {
  const runs = new Map<string, { readonly facts: RunningRun; readonly controller: AbortController }>();
  let waiting: (() => void)[] = [];
  return {
    begin: (facts, outer) => {
      const controller = new AbortController();
      runs.set(facts.run, { facts, controller });
      return {
        signal: AbortSignal.any([outer, controller.signal]),
        [Symbol.dispose]: () => {
          runs.delete(facts.run);
          if (runs.size > 0) return;
          const woken = waiting;
          waiting = [];
          for (const wake of woken) wake();
        },
      };
    },
    cancel: (id, reason) => {
      const found = [...runs].filter(([run]) => run === id || shortId(run) === id);
      const [entry] = found;
      if (!entry || found.length > 1) {
        const others = [...runs.keys()].map(shortId).join(', ');
        throw new LifeboatError('RUN_NOT_FOUND', `no run ${id} is under way`, {
          hint: others ? `under way: ${others}` : 'nothing runs at the moment',
        });
      }
      entry[1].controller.abort(reason);
      return entry[0];
    },
    cancelAll: (reason) => {
      for (const { controller } of runs.values()) controller.abort(reason);
      return [...runs.keys()];
    },
    all: () => [...runs.values()].map(({ facts }) => facts),
    idle: () => (runs.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
