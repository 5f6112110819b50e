const furthest = 2;

/**
 * The candidate that a typing mistake turned into `found`: the nearest by Damerau-Levenshtein distance (one letter
 * wrong, missing, too many, or two swapped), at most two away. Capitals do not count. Undefined when none is near.
 */
export function nearest(found: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = furthest + 1;
  for (const candidate of candidates) {
    // Two changes turn any two-letter word into any other: short words must be nearer.
    const limit = Math.min(furthest, Math.floor(candidate.length / 2), bestDistance - 1);
    // Also keeps a hostile key of a megabyte from being compared letter by letter.
    if (Math.abs(candidate.length - found.length) > limit) continue;
    const distance = damerauLevenshtein(found.toLowerCase(), candidate.toLowerCase());
    if (distance <= limit) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** How many letters must be changed, added, dropped or swapped with their neighbour (each letter at most once). */
export function damerauLevenshtein(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let distance = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      if (a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) distance = Math.min(distance, (beforeLast[j - 2] ?? 0) + 1);
      row.push(distance);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
