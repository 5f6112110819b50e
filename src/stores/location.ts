import { LifeboatError } from '../domain/errors.ts';

/** A destination's URL taken apart. Its query is read once, strictly. */
export interface Location {
  readonly scheme: string;
  /** Bucket, host or name. */
  readonly host: string;
  /** Decoded, without slashes at either end. */
  readonly path: string;
  readonly query: ReadonlyMap<string, string>;
}

/** Parses the URL of a destination. Rejects CONFIG_INVALID, never showing more of it than its scheme: it may hold a secret. */
export function parseLocation(text: string): Location {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(text)) {
    throw invalid('is not a URL', 'for example file:///backups or s3://bucket/prefix?region=eu-central-1');
  }
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `(${scheme}://…) holds credentials`,
      'give them as the key variables of this destination, or their _FILE forms',
    );
  }
  if (url.hash !== '') throw invalid(`(${scheme}://…) holds a "#"`, 'write it as %23');
  return { scheme, host: url.host, path: decoded(url.pathname, scheme), query: queryOf(url, scheme) };
}

/** Rejects CONFIG_INVALID for a query key the scheme does not know. */
export function checkQuery({ scheme, query }: Location, known: readonly string[]): void {
  for (const key of query.keys()) {
    if (known.includes(key)) continue;
    const hint = known.length === 0 ? `a ${scheme} destination takes none` : `known are ${known.join(', ')}`;
    throw invalid(`(${scheme}://…) has an unknown setting "${key}"`, suggestion(key, known) ?? hint);
  }
}

/** `did you mean …?` when one of the known words is near enough. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const ranked = known.map((candidate) => ({ candidate, apart: distance(word.toLowerCase(), candidate) }));
  const best = ranked.sort((a, b) => a.apart - b.apart)[0];
  return best && best.apart <= Math.max(1, word.length / 3) ? `did you mean "${best.candidate}"?` : undefined;
}

export function invalid(what: string, hint: string): LifeboatError {
  return new LifeboatError('CONFIG_INVALID', `the destination's URL ${what}`, { hint });
}

function decoded(pathname: string, scheme: string): string {
  try {
    return decodeURIComponent(pathname).replace(/^\/+|\/+$/g, '');
  } catch {
    throw invalid(`(${scheme}://…) has a broken %-escape in its path`, 'write a percent sign as %25');
  }
}

function queryOf(url: URL, scheme: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const [key, value] of url.searchParams) {
    if (query.has(key)) throw invalid(`(${scheme}://…) sets "${key}" twice`, 'keep one of them');
    query.set(key, value);
  }
  return query;
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
