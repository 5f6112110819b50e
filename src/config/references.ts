import { nearest } from '../domain/nearest.ts';
import type { Scope } from './layer.ts';
import type { Problem } from './problems.ts';
import { ServiceKeys } from './schema.ts';
import { type Check, invalidValue, type Rows, typed } from './settle.ts';
import { destinationName } from './variables.ts';
import type { Vocabulary } from './vocabulary.ts';

/** Names that other values may refer to. */
export interface Names {
  readonly destinations: readonly string[];
  readonly channels: readonly string[];
  /** False where not everything could be read: then only what looks like a slip of the keyboard is a problem. */
  readonly areComplete: boolean;
}

/** Checks that destinations and channels that are named exist. */
export function referenceChecks(names: Names): ReadonlyMap<string, Check> {
  return new Map([
    ['to', namesCheck('destination', names.destinations, ['all'], names.areComplete)],
    ['notify', namesCheck('channel', names.channels, ['all', 'none'], names.areComplete)],
  ]);
}

const mostLevels = { zstd: 19, gzip: 9, none: 0 } as const;

/**
 * The rows without a compression level that their codec does not have. A level that was chosen for another codec at a
 * level above goes without a word; one that was written beside its codec is a problem.
 */
export function withFittingLevel(
  rows: Rows,
  parent: Rows,
  vocabulary: Vocabulary,
  scope: Scope,
): { rows: Rows; problems: readonly Problem[] } {
  const { codec, 'codec.level': level } = typed(ServiceKeys, rows);
  const written = rows.get('codec.level');
  const entry = vocabulary.service.get('codec.level');
  const isForeign = written === parent.get('codec.level') && rows.get('codec') !== parent.get('codec');
  const most = mostLevels[codec];
  if (level === undefined || !written || !entry || (level <= most && !isForeign)) return { rows, problems: [] };
  const others = new Map([...rows].filter(([key]) => key !== 'codec.level'));
  if (isForeign) return { rows: others, problems: [] };
  const complaint = most === 0 ? `codec ${codec} has no levels` : `${codec} has the levels 1 to ${most}, not ${level}`;
  return { rows: others, problems: [invalidValue(entry, written.origin, complaint, scope)] };
}

// --- utils ---

function namesCheck(noun: string, known: readonly string[], words: readonly string[], isComplete: boolean): Check {
  return (value) => {
    const named = Array.isArray(value) ? value.map((name) => destinationName(String(name))) : [];
    const word = words.find((each) => named.includes(each));
    if (word !== undefined) return named.length === 1 ? undefined : `"${word}" cannot stand beside other names`;
    const stranger = named.find((name) => !known.includes(name));
    if (stranger === undefined) return undefined;
    const guess = nearest(stranger, [...known, ...words]);
    if (guess === undefined && !isComplete) return undefined;
    const hint =
      guess === undefined
        ? `; there ${known.length === 0 ? 'is none' : `are: ${known.join(', ')}`}`
        : ` – did you mean ${guess}?`;
    return `no ${noun} is called "${stranger}"${hint}`;
  };
}
