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
