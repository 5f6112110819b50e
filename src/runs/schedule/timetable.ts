import { createHash } from 'node:crypto';
import { Cron } from 'croner';
import { everyMs } from '../../domain/schedule.ts';

/**
 * The first time after `after` at which a schedule comes due; undefined when it never does (`manual`). Times of a cron
 * line are those of the time zone: one that daylight saving skips comes right after the gap, one that it repeats comes
 * once. `@every 6h` counts from a fixed moment (midnight UTC of 1 January 1970), so that a restart does not shift it and
 * all sources with the same interval come due together.
 */
export function nextTime(schedule: string, timezone: string, after: Date): Date | undefined {
  if (schedule === 'manual') return undefined;
  const interval = everyMs(schedule);
  if (interval !== undefined) return new Date((Math.floor(after.getTime() / interval) + 1) * interval);
  return cronFor(schedule, timezone).nextRun(after) ?? undefined;
}

/**
 * How much later than the schedule says: the same at every start, within the jitter. One for a whole stack, not one per
 * source, so that what comes due in the same minute is one run and one restore point.
 */
export function jitterOf(stack: string, jitterMs: number): number {
  const fraction = createHash('sha256').update(stack).digest().readUInt32BE() / 2 ** 32;
  return Math.floor((fraction * jitterMs) / 1000) * 1000;
}

// --- utils ---

const parsed = new Map<string, Cron>();

function cronFor(schedule: string, timezone: string): Cron {
  const key = `${timezone} ${schedule}`;
  let cron = parsed.get(key);
  if (!cron) {
    cron = new Cron(schedule, {
      timezone,
      paused: true,
      // The default would skip `30 2,14 * * *` at 2:30 when the clock jumps from 2 to 3, and run it twice in autumn.
      fixedTimeRule: 'no-wildcard',
      // `5/10` in a field, which our grammar knows as "from 5 on, every 10".
      sloppyRanges: true,
    });
    parsed.set(key, cron);
  }
  return cron;
}
