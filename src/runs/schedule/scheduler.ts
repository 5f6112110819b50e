import type { SourceName } from '../../domain/types.ts';
import type { History, SourceKey } from '../history/history.ts';
import { jitterOf, nextTime } from './timetable.ts';

/** A source and when it is to be backed up. */
export interface Scheduled {
  readonly stack: string;
  readonly name: SourceName;
  readonly schedule: string;
}

/** Sources of one stack that came due together: one run, one restore point. */
export interface DueGroup {
  readonly stack: string;
  readonly names: readonly SourceName[];
}

/** When a source is backed up, for those who ask. */
export interface ScheduleView {
  /** Undefined for `manual`, and for a source that is not known. */
  next(source: SourceKey): Date | undefined;
  /** Whether a time has passed, since the source is known, at which it should have been backed up. */
  hasComeDue(source: SourceKey): boolean;
}

/** Decides what is due; it starts nothing and waits for nothing itself. */
export interface Scheduler extends ScheduleView {
  /** What there is to schedule now; new, changed and vanished sources are found by comparing. */
  update(sources: readonly Scheduled[], now: Date): void;
  /** What has come due, once: times that were missed together are made up for by one run. */
  takeDue(now: Date): readonly DueGroup[];
  /** All sources, whatever their schedule. */
  everything(): readonly DueGroup[];
  /** The next moment at which something comes due. */
  nextDue(): Date | undefined;
  /** Leaves out what was missed up to now: somebody else sees to it. */
  skipMissed(now: Date): void;
}

export interface SchedulerOptions {
  readonly timezone: string;
  readonly jitterMs: number;
  readonly history: Pick<History, 'scheduledSince' | 'lastAttempt'>;
}

interface Entry {
  readonly key: SourceKey;
  readonly schedule: string;
  /** Since when this schedule holds. */
  readonly since: Date;
  /** When this process first saw it: what was missed before is made up for from then on. */
  seenAt: Date;
  /** Times up to here have been seen to. */
  cursor: Date;
}

export function createScheduler({ timezone, jitterMs, history }: SchedulerOptions): Scheduler {
  let entries = new Map<string, Entry>();
  let lastLook: Date | undefined;

  const enter = ({ stack, name, schedule }: Scheduled, before: Entry | undefined, now: Date): Entry => {
    if (before?.schedule === schedule) return before;
    const key: SourceKey = { stack, source: name };
    const last = history.lastAttempt(key);
    // With a history that is new here, this is now: what a destination knows may be of another host, whose database is not
    // restored yet, and a backup of an empty one would become the newest.
    const since = history.scheduledSince(key, schedule, now);
    const cursor = before ? now : earliest(now, latest(since, last ?? since));
    return { key, schedule, since, seenAt: now, cursor };
  };
  const dueAt = ({ key, schedule, cursor, seenAt }: Entry): Date | undefined => {
    const time = nextTime(schedule, timezone, cursor);
    return time && new Date(latest(time, seenAt).getTime() + jitterOf(key.stack, jitterMs));
  };

  return {
    update: (sources, now) => {
      entries = new Map(
        sources.map((source) => {
          const id = idOf({ stack: source.stack, source: source.name });
          return [id, enter(source, entries.get(id), now)];
        }),
      );
    },
    takeDue: (now) => {
      // After the clock was set back, times that already passed come again rather than never.
      if (lastLook && now < lastLook) {
        for (const entry of entries.values()) {
          entry.cursor = earliest(entry.cursor, now);
          entry.seenAt = earliest(entry.seenAt, now);
        }
      }
      lastLook = now;
      const due = [...entries.values()].filter((entry) => {
        const at = dueAt(entry);
        return at !== undefined && at <= now;
      });
      for (const entry of due) {
        const time = nextTime(entry.schedule, timezone, entry.cursor) ?? now;
        entry.cursor = latest(time, new Date(now.getTime() - jitterOf(entry.key.stack, jitterMs)));
      }
      return byStack(due);
    },
    everything: () => byStack([...entries.values()]),
    nextDue: () => {
      const times = [...entries.values()].flatMap((entry) => dueAt(entry)?.getTime() ?? []);
      return times.length > 0 ? new Date(Math.min(...times)) : undefined;
    },
    skipMissed: (now) => {
      for (const entry of entries.values()) entry.cursor = latest(entry.cursor, now);
    },
    next: (source) => {
      const entry = entries.get(idOf(source));
      return entry && dueAt(entry);
    },
    hasComeDue: (source) => {
      const entry = entries.get(idOf(source));
      const first = entry && nextTime(entry.schedule, timezone, entry.since);
      return first !== undefined && lastLook !== undefined && first <= lastLook;
    },
  };
}

// --- utils ---

function byStack(entries: readonly Entry[]): readonly DueGroup[] {
  const stacks = Map.groupBy(entries, ({ key }) => key.stack);
  return [...stacks].map(([stack, found]) => ({ stack, names: found.map(({ key }) => key.source) }));
}

function idOf({ stack, source }: SourceKey): string {
  return JSON.stringify([stack, source]);
}

function earliest(a: Date, b: Date): Date {
  return a < b ? a : b;
}

function latest(a: Date, b: Date): Date {
  return a > b ? a : b;
}
