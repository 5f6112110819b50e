/**
 * `2026-11-21 07:41`, with `seconds` `2026-11-21 07:41:09`, in the time zone of the process. Not by Intl, whose first
 * formatter alone costs as much as the rest of a quick command.
 */
export function localTime(time: string, precision: 'minutes' | 'seconds' = 'minutes'): string {
  const date = new Date(time);
  const two = (part: number) => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const minutes = `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
  return precision === 'minutes' ? minutes : `${minutes}:${two(date.getSeconds())}`;
}

const written = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(:\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * The last moment of the day, minute or second that somebody wrote, in the time zone of the process unless it names one;
 * undefined when it is none. So that what a list shows as 03:00 is not after "03:00", nor after its day.
 */
export function endOf(text: string): Date | undefined {
  return momentOf(text, { minute: '23:59', second: ':59', fraction: '.999' });
}

/** The first moment of it: what a list shows as 03:00 is not before "03:00", nor before its day. */
export function startOf(text: string): Date | undefined {
  return momentOf(text, { minute: '00:00', second: ':00', fraction: '.000' });
}

// --- utils ---

interface Unwritten {
  readonly minute: string;
  readonly second: string;
  readonly fraction: string;
}

/** The time that somebody wrote, with what they left out. */
function momentOf(text: string, unwritten: Unwritten): Date | undefined {
  const [, day, minute = unwritten.minute, rest, zone = ''] = written.exec(text.trim()) ?? [];
  if (day === undefined) return undefined;
  const second = rest ?? unwritten.second;
  const fraction = second.includes('.') ? '' : unwritten.fraction;
  const time = new Date(`${day}T${minute}${second}${fraction}${zone.toUpperCase()}`);
  // A 31st of February is read as a day in March.
  const midnight = new Date(`${day}T00:00:00Z`);
  const isDay = !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
  return isDay && !Number.isNaN(time.getTime()) ? time : undefined;
}
