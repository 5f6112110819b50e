import { localTime } from '../domain/local-time.ts';
import type { CopyVerification } from '../domain/verification.ts';

/** The last verification of all copies in a few words: the worst of them, else the oldest; `–` when one never was. */
export function verifiedWords(
  destinations: readonly string[],
  verified: readonly CopyVerification[] | undefined,
  words: (at: string) => string,
): string {
  const damaged = (verified ?? []).filter(({ result }) => result === 'damaged');
  if (damaged.length > 0) return `damaged in ${damaged.map(({ destination }) => destination).join(', ')}`;
  const [oldest] = (verified ?? []).toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const isEverywhere = destinations.every((name) => verified?.some(({ destination }) => destination === name));
  if (!oldest || !isEverywhere) return '–';
  const isDeep = verified?.every(({ level }) => level === 'structure');
  return `${words(oldest.at)}${isDeep ? '' : ' (checksum)'}`;
}

/** One line per copy, for `show`. */
export function verifiedLine({ destination, at, level, result, findings }: CopyVerification): string {
  const what = result === 'ok' ? `sound, ${level}` : `damaged: ${findings.map(({ message }) => message).join('; ')}`;
  return `${destination}  ${localTime(at)}  ${what}`;
}
