import { type Grammar, grammar, type Reject } from './grammar.ts';
import { durationBetween, formatDuration } from './quantity.ts';

const shorthands = ['@hourly', '@daily', '@weekly', '@monthly', 'manual'] as const;
const shortestEveryMs = 60_000;

/**
 * When something runs. The text is kept as text (one space between fields, lower case): the scheduler reads it. What
 * passes here can be read and does happen: `0 0 31 2 *`, which never would, is refused.
 */
export const schedule: Grammar<string> = grammar(
  {
    name: 'schedule',
    allowed: `five cron fields (minute hour day month weekday), ${shorthands.join(', ')} or @every with a duration`,
    examples: ['30 3 * * *', '@every 6h', '@daily', 'manual'],
  },
  (text, reject) => {
    const normal = text.toLowerCase().replace(/\s+/g, ' ');
    if (shorthands.some((word) => word === normal)) return normal;
    if (normal.startsWith('@every')) return `@every ${formatDuration(readEvery(normal, reject))}`;
    if (normal.startsWith('@')) return reject();
    checkCron(normal.split(' '), reject);
    return normal;
  },
);

/** The interval of an `@every` schedule in milliseconds; undefined for any other. */
export function everyMs(text: string): number | undefined {
  const [, interval] = /^@every (\S+)$/.exec(text) ?? [];
  return interval === undefined ? undefined : durationBetween(shortestEveryMs).parse(interval);
}

// --- utils ---

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly words?: readonly string[];
}

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, words: 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ') },
  // 7 is Sunday too, as in every cron.
  { name: 'weekday', min: 0, max: 7, words: 'sun mon tue wed thu fri sat'.split(' ') },
];
const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function readEvery(normal: string, reject: Reject): number {
  const [, interval] = /^@every (\S+)$/.exec(normal) ?? [];
  if (interval === undefined) return reject('@every needs one duration');
  try {
    return durationBetween(shortestEveryMs).parse(interval);
  } catch (error) {
    return reject(error instanceof Error ? error.message.replace(/; for example .*/s, '') : undefined);
  }
}

function checkCron(parts: readonly string[], reject: Reject): void {
  if (parts.length === 6) reject('six fields: seconds are not supported');
  if (parts.length !== 5) reject(`${parts.length} ${parts.length === 1 ? 'field' : 'fields'} instead of five`);
  const [, , days = [], months = []] = fields.map((field, i) => readField(parts[i] ?? '', field, reject));
  // With a weekday as well, cron runs when either matches, so that an impossible day does no harm.
  const isPossible = months.some((month) => days.some((day) => day <= (longestMonths[month - 1] ?? 0)));
  if (parts[4] === '*' && !isPossible) reject('no such day ever comes');
}

function readField(part: string, field: Field, reject: Reject): readonly number[] {
  return part.split(',').flatMap((item) => {
    const [, from, to, step] = /^(\*|[a-z]{3}|\d{1,2})(?:-([a-z]{3}|\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(item) ?? [];
    const wrong = (): never => reject(`${field.name} "${item.slice(0, 20)}" is not within ${field.min}-${field.max}`);
    if (from === undefined || (from === '*' && to !== undefined)) return wrong();
    const first = from === '*' ? field.min : numberOf(from, field);
    const last = to !== undefined ? numberOf(to, field) : from === '*' || step !== undefined ? field.max : first;
    const every = step === undefined ? 1 : Number(step);
    if (first === undefined || last === undefined || first < field.min || last > field.max) return wrong();
    if (last < first) return reject(`${field.name} "${item}" runs backwards`);
    if (every === 0 || every > field.max) return reject(`${field.name} "${item}" has an impossible step`);
    return Array.from({ length: Math.floor((last - first) / every) + 1 }, (_, i) => first + i * every);
  });
}

function numberOf(word: string, field: Field): number | undefined {
  if (/^\d+$/.test(word)) return Number(word);
  const index = field.words?.indexOf(word) ?? -1;
  return index === -1 ? undefined : index + field.min;
}
