import { isLifeboatError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import type { Manifest } from '../domain/manifest.ts';
import { newId } from '../domain/naming.ts';
import type { SourceName } from '../domain/types.ts';
import { runBackup, tellFailedRun } from '../runs/backup/backup-run.ts';
import type { RunContext } from '../runs/context.ts';
import type { RunControl } from '../runs/control/control.ts';
import { RunLog } from '../runs/history/run-log.ts';
import type { DueGroup, Scheduler } from '../runs/schedule/scheduler.ts';
import type { Source } from '../runs/source.ts';
import type { Organ } from './health.ts';

/** Looks what is due and starts it. */
export interface Clockwork extends Organ {
  /** Containers may have come or gone: they are looked at soon. */
  changed(): void;
  /** Begins again what could not be begun while the Engine was away. */
  retry(): void;
  /** Goes on until the signal fires, and then until everything it started has ended. Never rejects. */
  keep(signal: AbortSignal): Promise<void>;
}

export interface ClockworkParts {
  readonly scheduler: Scheduler;
  readonly context: RunContext;
  readonly control: RunControl;
  readonly log: Log;
  /** Nothing begins before what an earlier process left is put back; disposing says that it is over. */
  enter(): Promise<Disposable>;
  readonly runOnStart: boolean;
}

/** Never sleeps longer, as clocks are set and machines are suspended. */
const longestSleepMs = 15_000;
/** After so long without a look something holds up the whole process, or the clockwork is broken. */
const stalledMs = 4 * longestSleepMs;
const refreshEveryMs = 300_000;
/** Containers come and go in groups. */
const settleMs = 2_000;

export function createClockwork(parts: ClockworkParts): Clockwork {
  const { scheduler, context, control, log } = parts;
  const underWay = new Set<Promise<void>>();
  const postponed = new Map<string, DueGroup>();
  let isRetryWanted = false;
  let known = new Map<string, Source>();
  let lookedAt: number | undefined;
  let refreshedAt: number | undefined;
  let changedAt: number | undefined;
  let wake = () => {};

  const take = (sources: readonly Source[]) => {
    const found = new Map(sources.map((source) => [JSON.stringify([source.stack, source.name]), source]));
    for (const [key, { stack, name, settings }] of found) {
      if (!known.has(key)) log.info(`found, schedule ${settings.schedule}`, { source: name, stack });
    }
    for (const [key, { stack, name }] of known) {
      if (!found.has(key)) log.warn('has no container any more and is not backed up', { source: name, stack });
    }
    known = found;
    scheduler.update(
      sources.map(({ stack, name, settings }) => ({ stack, name, schedule: settings.schedule })),
      context.now(),
    );
  };

  async function refresh(signal: AbortSignal): Promise<void> {
    changedAt = undefined;
    refreshedAt = performance.now();
    try {
      take((await context.sources(signal)).sources);
    } catch (error) {
      // The keeper of the Engine tells why; what was known before stays scheduled.
      if (!signal.aborted) log.debug('containers could not be looked at', { error });
    }
  }

  function start(group: DueGroup, trigger: Manifest['trigger'], signal: AbortSignal): void {
    const started = begin(group, trigger, signal).catch((error: unknown) =>
      log.error('a scheduled run could not be told of', { error }),
    );
    underWay.add(started);
    started.finally(() => underWay.delete(started)).catch(() => {}); // It never rejects.
  }

  function startPostponed(signal: AbortSignal): void {
    isRetryWanted = false;
    const groups = [...postponed.values()];
    postponed.clear();
    for (const group of groups) start(group, 'schedule', signal);
  }

  /** Ends early when something happens. */
  function sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function begin({ stack, names }: DueGroup, trigger: Manifest['trigger'], signal: AbortSignal): Promise<void> {
    const run = { run: newId(context.now()), trigger };
    try {
      using _inside = await parts.enter();
      const { sources } = await context.sources(signal, 'anew');
      take(sources);
      const chosen = sources.filter((source) => source.stack === stack && names.includes(source.name));
      if (chosen.length > 0) await runBackup(context, control, chosen, run, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (isLifeboatError(error, 'LOCKED') && typeof error.context.run === 'string') {
        const holder = new RunLog(error.context.run, context.emit, context.now, stack);
        for (const name of names) {
          holder.warn(name, 'is due again, but this run still backs it up: the one that is due is left out');
        }
        return;
      }
      if (isLifeboatError(error, 'DOCKER_UNAVAILABLE')) postponed.set(stack, merge(postponed.get(stack), names, stack));
      const planned = names.map((name) => ({ name, stack }));
      tellFailedRun(context, planned, run, error);
    }
  }

  return {
    ailment: () => {
      const idleMs = lookedAt === undefined ? 0 : performance.now() - lookedAt;
      if (idleMs <= stalledMs) return undefined;
      const message = `the scheduler has not looked at the clock for ${Math.round(idleMs / 1000)} s`;
      return { code: 'STALLED', message, hint: 'docker compose restart sidecar' };
    },
    changed: () => {
      changedAt ??= performance.now();
      wake();
    },
    retry: () => {
      isRetryWanted = true;
      wake();
    },
    keep: async (signal) => {
      signal.addEventListener('abort', () => wake(), { once: true });
      lookedAt = performance.now();
      await refresh(signal);
      if (parts.runOnStart) {
        scheduler.skipMissed(context.now());
        for (const group of scheduler.everything()) start(group, 'start', signal);
      }
      while (!signal.aborted) {
        const now = performance.now();
        const isSettled = changedAt !== undefined && now - changedAt >= settleMs;
        if (isSettled || now - (refreshedAt ?? 0) >= refreshEveryMs) await refresh(signal);
        for (const group of scheduler.takeDue(context.now())) start(group, 'schedule', signal);
        if (isRetryWanted) startPostponed(signal);
        lookedAt = performance.now();
        const untilDue = (scheduler.nextDue()?.getTime() ?? Infinity) - context.now().getTime();
        const untilSettled = changedAt === undefined ? Infinity : changedAt + settleMs - lookedAt;
        await sleep(Math.max(10, Math.min(longestSleepMs, untilDue, untilSettled)));
      }
      await Promise.all(underWay);
    },
  };
}

// --- utils ---

function merge(before: DueGroup | undefined, names: readonly SourceName[], stack: string): DueGroup {
  return { stack, names: [...new Set([...(before?.names ?? []), ...names])] };
}
