import { type Layer, place, type Written } from './layer.ts';
import type { Problem } from './problems.ts';
import { type FileValue, readValueFile, type Surroundings, secretIn } from './secret-file.ts';
import type { ServiceValue } from './service-layers.ts';
import { unknownKey } from './unknown-key.ts';
import { type KeyEntry, serviceEntry, type Vocabulary } from './vocabulary.ts';

/** Keys of the sidecar or of one destination. A secret may be given in a file of its own, by its key with `-file`. */
export function readSidecarKeys(
  values: readonly ServiceValue[],
  entries: ReadonlyMap<string, KeyEntry>,
  vocabulary: Vocabulary,
  surroundings: Surroundings,
): { layer: Layer; problems: readonly Problem[] } {
  const layer = new Map<string, Written>();
  const problems: Problem[] = [];
  for (const { key, written, value, origin } of values) {
    const exact = entries.get(key);
    const entry = exact ?? secretEntry(entries, key.replace(/-file$/, ''));
    if (!entry) {
      problems.push(unknownSidecarKey({ key, written, value, origin }, entries, vocabulary));
      continue;
    }
    const isSecret = entry.kind === 'secret' && value.trim() !== '';
    const read: FileValue =
      isSecret && !exact
        ? readValueFile(value, origin, true, surroundings)
        : { written: isSecret ? secretIn(value, origin, surroundings) : { value, origin }, problems: [] };
    const misplaced = read.written && place(layer, vocabulary, entry, read.written, {});
    problems.push(...read.problems, ...(misplaced ? [misplaced] : []));
  }
  return { layer, problems };
}

// --- utils ---

function secretEntry(entries: ReadonlyMap<string, KeyEntry>, key: string): KeyEntry | undefined {
  const entry = entries.get(key);
  return entry?.kind === 'secret' ? entry : undefined;
}

function unknownSidecarKey(
  { key, written, origin }: ServiceValue,
  entries: ReadonlyMap<string, KeyEntry>,
  vocabulary: Vocabulary,
): Problem {
  const isAtTop = written === key;
  const groups = isAtTop ? ['defaults', 'services', 'dest'] : [];
  const found = unknownKey(origin, written, key, [...entries.keys(), ...groups], {});
  const isOfService = isAtTop && serviceEntry(vocabulary, key) !== undefined;
  return isOfService ? { ...found, hint: `It belongs below defaults: or services:. ${found.hint}` } : found;
}
