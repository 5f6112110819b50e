import { LifeboatError } from '../domain/errors.ts';
import { variableOf } from './key.ts';
import type { KeyEntry, Vocabulary } from './vocabulary.ts';

/** Names the configuration file; read before everything else. */
export const configVariable = 'LIFEBOAT_CONFIG';
/** What every variable of ours begins with. */
export const variablePrefix = 'LIFEBOAT_';
const destinationPrefix = 'LIFEBOAT_DEST_';

/** The key a variable sets, and of which destination. */
export interface Target {
  readonly entry: KeyEntry;
  readonly destination?: string;
}

/** Finds what variables mean. */
export interface Variables {
  /** What this very name sets; `…_FILE` forms are not looked for. */
  find(name: string): Target | undefined;
  /** What this one could be a slip of the keyboard for, without `LIFEBOAT_`. */
  candidates(name: string): readonly string[];
}

/** Throws INTERNAL when two keys would be set by one variable. */
export function createVariables(vocabulary: Vocabulary): Variables {
  const known = new Map<string, KeyEntry>();
  const add = (key: string, entry: KeyEntry | undefined): void => {
    if (!entry) return;
    if (known.has(variableOf(key))) throw new LifeboatError('INTERNAL', `${variableOf(key)} would mean two keys`);
    known.set(variableOf(key), entry);
  };
  for (const entries of [vocabulary.stack, vocabulary.service]) for (const [key, entry] of entries) add(key, entry);
  for (const [alias, key] of vocabulary.aliases) add(alias, vocabulary.service.get(key));
  return {
    find(name) {
      const entry = known.get(name);
      return entry ? { entry } : destinationTarget(name, vocabulary);
    },
    candidates(name) {
      const names = [...known.keys(), configVariable];
      // The free part may have underscores of its own, so every way to cut the name counts.
      const parts = name.startsWith(destinationPrefix)
        ? name.slice(destinationPrefix.length).split('_').slice(0, 10)
        : [];
      const free = parts.map((_, i) => parts.slice(0, i + 1).join('_'));
      const keys = [...vocabulary.destination.keys()];
      names.push(...free.flatMap((each) => keys.map((key) => variableOf(`dest.${each}.${key}`))));
      return names.map((each) => each.slice(variablePrefix.length));
    },
  };
}

/** How a destination is called, however it was written: `OFF_SITE` → `off-site`. */
export function destinationName(written: string): string {
  return written.toLowerCase().replaceAll('_', '-');
}

// --- utils ---

function destinationTarget(name: string, vocabulary: Vocabulary): Target | undefined {
  if (!name.startsWith(destinationPrefix)) return undefined;
  for (const entry of vocabulary.destination.values()) {
    const end = variableOf(entry.key).replace(variablePrefix, '_');
    const free = name.slice(destinationPrefix.length, -end.length);
    if (name.endsWith(end) && /^[A-Z0-9]+(_[A-Z0-9]+)*$/.test(free))
      return { entry, destination: destinationName(free) };
  }
  return undefined;
}
