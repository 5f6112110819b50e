import { type Grammar, grammar } from './grammar.ts';

/** Durations in milliseconds and sizes in bytes, with the way back to text. */

const second = 1000;
const durationUnits = { w: 604_800 * second, d: 86_400 * second, h: 3600 * second, m: 60 * second, s: second };
const longestMs = 3650 * durationUnits.d;

/** Milliseconds. `0` needs no unit. */
export const duration: Grammar<number> = durationBetween(0, longestMs);

/** A duration in milliseconds between two bounds, both included. */
export function durationBetween(minMs: number, maxMs: number = longestMs): Grammar<number> {
  const bounds = [
    minMs > 0 ? `at least ${formatDuration(minMs)}` : '',
    maxMs < longestMs ? `at most ${formatDuration(maxMs)}` : '',
  ].filter((bound) => bound !== '');
  return grammar(
    {
      name: 'duration',
      allowed: ['whole numbers with the units w, d, h, m, s, the largest first', ...bounds].join(', '),
      examples: ['26h', '1d12h', '90s', '15m', '7d', '2w'],
    },
    (text, reject) => {
      const parts = /^(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text)?.slice(1);
      if (!parts && /^\d+$/.test(text) && Number(text) !== 0) return reject('the unit is missing');
      if (!parts && text !== '0')
        return reject(/^[\dwdhms]+$/i.test(text) && /[A-Z]/.test(text) ? 'units are lower case' : undefined);
      const ms = Object.values(durationUnits).reduce((sum, unit, i) => sum + Number(parts?.[i] ?? 0) * unit, 0);
      if (ms < minMs) return reject(`less than ${formatDuration(minMs)}`);
      return ms <= maxMs ? ms : reject(`more than ${formatDuration(maxMs)}`);
    },
  );
}

/** `129600000` → `1d12h`. Exact for whole seconds, others are rounded to them; never uses weeks, which hide the days. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms / second) * second;
  let text = '';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / durationUnits[unit]);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * durationUnits[unit];
  }
  return text || '0s';
}

const sizeUnits: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['TB', 1e12],
  ['GiB', 2 ** 30],
  ['GB', 1e9],
  ['MiB', 2 ** 20],
  ['MB', 1e6],
  ['KiB', 2 ** 10],
  ['kB', 1e3],
  ['B', 1],
];

/** Bytes. `MB` is a million, `MiB` is 1024 × 1024; `0` needs no unit. */
export const size: Grammar<number> = grammar(
  {
    name: 'size',
    allowed: 'a number with a unit: B, kB, MB, GB, TB (thousands) or KiB, MiB, GiB, TiB (1024)',
    examples: ['500MB', '500MiB', '1.5GB'],
  },
  (text, reject) => readSize(text) ?? reject(sizeComplaint(text)),
);

/** `500000000` → `500MB`. Exact: the largest unit that divides the bytes without a rest. */
export function formatSize(bytes: number): string {
  const [unit, factor] = sizeUnits.find(([, each]) => bytes >= each && bytes % each === 0) ?? ['B', 1];
  return `${bytes / factor}${unit}`;
}

// --- utils ---

function readSize(text: string): number | undefined {
  if (text === '0') return 0;
  const [, number, letters] = /^(\d{1,16}(?:\.\d{1,3})?) ?([a-z]{1,3})$/i.exec(text) ?? [];
  const factor = sizeUnits.find(([unit]) => unit.toLowerCase() === letters?.toLowerCase())?.[1];
  if (number === undefined || factor === undefined) return undefined;
  // Thousandths as integers: 1.1 * 1e9 is not a whole number in floating point.
  const [whole = '0', fraction = ''] = number.split('.');
  const product = BigInt(whole + fraction.padEnd(3, '0')) * BigInt(factor);
  return product % 1000n === 0n && product / 1000n <= Number.MAX_SAFE_INTEGER ? Number(product / 1000n) : undefined;
}

function sizeComplaint(text: string): string | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return 'the unit is missing';
  const [, number, letter] = /^(\d+)([kmgt])$/i.exec(text) ?? [];
  if (letter === undefined) return undefined;
  return `${number}${letter.toUpperCase()}B or ${number}${letter.toUpperCase()}iB?`;
}
