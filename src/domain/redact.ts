import { base64Forms, formsOf, partsOfUrl } from './secret-forms.ts';

/** What stands in the place of a secret. */
export const redacted = '[redacted]';

/**
 * Knows every live secret and takes it out of any text, in the forms in which programs repeat it: as it is, URL-encoded,
 * escaped for JSON, shell, SQL and XML, in base64 (also inside a longer encoded text), and line by line. Takes out the
 * user part of URLs as well, whether known or not. Used at the one place where text leaves us.
 */
export interface Redactor {
  /**
   * From now on this text is a secret. An empty one is ignored; one of less than four characters is taken out only
   * where it stands as a word of its own, since it would be found everywhere.
   */
  add(secret: string): void;
  /** The text without secrets. Never fails; a text without secrets comes back as it was. */
  redact(text: string): string;
}

const shortestPartOfWord = 4;
/** A line of a longer secret is more likely an ordinary word: shorter ones count only as whole words. */
const shortestPartOfWordInLines = 8;

/** A redactor that knows nothing yet. */
export function createRedactor(): Redactor {
  /** Every form, and whether it is one only where no letter or digit touches it. */
  const forms = new Map<string, { readonly wholeWord: boolean }>();
  const learn = (secret: string, shortest: number): void => {
    for (const form of formsOf(secret)) {
      const wholeWord = form.length < shortest && forms.get(form)?.wholeWord !== false;
      forms.set(form, { wholeWord });
    }
    if (secret.length >= shortest) for (const form of base64Forms(secret)) forms.set(form, { wholeWord: false });
  };
  return {
    add(secret) {
      const trimmed = secret.trim();
      if (trimmed === '') return;
      for (const whole of new Set([secret, trimmed, ...partsOfUrl(trimmed)])) learn(whole, shortestPartOfWord);
      const lines = trimmed.split(/\r?\n|\r/).map((line) => line.trim());
      if (lines.length === 1) return;
      for (const line of lines) if (line.length >= shortestPartOfWord) learn(line, shortestPartOfWordInLines);
    },
    redact(text) {
      const spans: Span[] = [];
      for (const [form, { wholeWord }] of forms) {
        for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) {
          const end = at + form.length;
          if (!wholeWord || isWholeWord(text, at, end)) spans.push([at, end]);
        }
      }
      return withoutUserinfo(withoutSpans(text, spans));
    },
  };
}

/** The text with the user part of every URL in it taken out: `postgres://[redacted]@db/shop`. */
export function withoutUserinfo(text: string): string {
  if (!text.includes('://')) return text;
  return text.replace(/[^\s"'<>`]+/g, (word) => {
    if (!word.includes('://') || !word.includes('@')) return word;
    // Each piece begins after a `://`; only its own beginning can be a user part, so that one pass is enough.
    const [scheme = '', ...pieces] = word.split('://');
    return [scheme, ...pieces.map(withoutUser)].join('://');
  });
}

// --- utils ---

type Span = readonly [start: number, end: number];

function withoutUser(piece: string): string {
  const authority = /^[^/?#]*/.exec(piece)?.[0] ?? '';
  if (authority.includes('@')) return redacted + piece.slice(authority.lastIndexOf('@'));
  // A password with a raw slash ends the authority too early; `host:5432/path` looks alike, but for the digits.
  const isUserAndPassword = piece.includes('@') && /^(?!\[)[^:/?#]*:(?!\d{1,5}([/?#]|$))/.test(piece);
  return isUserAndPassword ? redacted + piece.slice(piece.lastIndexOf('@')) : piece;
}

function withoutSpans(text: string, spans: Span[]): string {
  if (spans.length === 0) return text;
  spans.sort(([a], [b]) => a - b);
  let kept = '';
  let end = 0;
  for (const [start, stop] of spans) {
    // Overlapping finds are one: cutting only the first would leave the tail of the second.
    if (start >= end) kept += `${text.slice(end, start)}${redacted}`;
    end = Math.max(end, stop);
  }
  return kept + text.slice(end);
}

function isWholeWord(text: string, start: number, end: number): boolean {
  const isWordCharacter = (character: string | undefined) =>
    character !== undefined && /[\p{L}\p{N}_]/u.test(character);
  return !isWordCharacter(text[start - 1]) && !isWordCharacter(text[end]);
}
