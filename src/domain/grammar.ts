import { LifeboatError } from './errors.ts';

/**
 * The value grammar: how a person writes a value in a label, a variable, the configuration file or on the command line.
 * Everything arrives as text. A parser returns the typed value or throws CONFIG_INVALID with a message that says what
 * was found, what is allowed and an example.
 */
export interface Grammar<T> {
  /** Name in the reference, e.g. `duration`. */
  readonly name: string;
  /** What may be written, in one phrase that follows "allowed:". */
  readonly allowed: string;
  readonly examples: readonly [string, ...string[]];
  /** Present when only a few words are allowed. */
  readonly words?: readonly string[];
  parse(text: string): T;
}

/** Ends the parsing; `why` is added to the message when more is known than "this is none". */
export type Reject = (why?: string) => never;

/** Longer values are mistakes or attacks: nothing we read is near it. */
const maxCharacters = 65_536;
const shownCharacters = 60;

/** A grammar out of its words and a reader of the trimmed text. */
export function grammar<T>(words: Omit<Grammar<T>, 'parse'>, read: (text: string, reject: Reject) => T): Grammar<T> {
  const parse = (raw: string): T => {
    const text = raw.trim();
    const reject: Reject = (why) => {
      const reason = isQuoted(text) ? 'the quotes are part of the value' : why;
      throw new LifeboatError(
        'CONFIG_INVALID',
        `${quoted(text)} is not a valid ${words.name}${reason ? ` (${reason})` : ''}; allowed: ${words.allowed}; ` +
          `for example ${words.examples.slice(0, 2).join(' or ')}`,
      );
    };
    if (text.length > maxCharacters) return reject(`${text.length} characters, at most ${maxCharacters} are read`);
    if (hasControlCharacters(text)) return reject('it holds control characters');
    if (text === '') return reject('it is empty');
    return read(text, reject);
  };
  return { ...words, parse };
}

/** Text from outside as it may be shown: one line, in quotes, without control characters, at most 60 characters. */
export function quoted(text: string): string {
  const shown = text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
  return visible(JSON.stringify(shown));
}

/** Escapes what a terminal would obey or hide: control and direction characters, zero-width ones, line separators. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** Yes or no. */
export const bool: Grammar<boolean> = grammar(
  { name: 'bool', allowed: 'true, false, yes, no, on, off, 1, 0 in any case', examples: ['true', 'false'] },
  (text, reject) => {
    const word = text.toLowerCase();
    if (['true', 'yes', 'on', '1'].includes(word)) return true;
    if (['false', 'no', 'off', '0'].includes(word)) return false;
    return reject();
  },
);

/** A whole number between two bounds, both included. */
export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): Grammar<number> {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  return grammar(
    { name: 'integer', allowed: `whole numbers ${range}`, examples: [String(Math.min(max, Math.max(min, 3)))] },
    (text, reject) => {
      if (!/^-?\d{1,16}$/.test(text)) return reject();
      const value = Number(text);
      return value >= min && value <= max ? value : reject();
    },
  );
}

/** One word out of a few; in any case. */
export function oneOf<const W extends string>(words: readonly [W, ...W[]]): Grammar<W> {
  return grammar({ name: 'word', allowed: words.join(', '), examples: [words[0]], words }, (text, reject) => {
    const word = words.find((candidate) => candidate === text.toLowerCase());
    return word ?? reject();
  });
}

/** Any text without control characters; line ends and tabs are kept. */
export const text: Grammar<string> = grammar(
  { name: 'text', allowed: 'any text', examples: ['some text'] },
  (found) => found,
);

/** Items of one grammar, separated by commas or line ends, or as a JSON array; repeated items count once. */
export function list<T extends string>(item: Grammar<T>): Grammar<readonly T[]> {
  const { name, allowed } = item;
  return grammar(
    {
      name: name === 'text' ? 'list' : `list of ${name}`,
      allowed: `${name === 'text' ? 'items' : allowed}, separated by commas or line ends, or a JSON array of them`,
      examples: [item.examples.slice(0, 2).join(', '), JSON.stringify(item.examples.slice(0, 2))],
    },
    (found, reject) => {
      const items = found.startsWith('[') ? jsonItems(found, reject) : found.split(/[,\n]/).map((part) => part.trim());
      const named = items.filter((part) => part !== '');
      return named.length > 0 ? [...new Set(named.map((part) => item.parse(part)))] : reject('it names nothing');
    },
  );
}

/** A path pattern in gitignore syntax, relative to a mount, or an absolute path in the container. */
export const glob: Grammar<string> = grammar(
  {
    name: 'glob',
    allowed: 'a path pattern with *, ?, ** and [..] as in .gitignore, without ".." steps',
    examples: ['cache/**', '/app/data/*.sqlite3'],
  },
  (found, reject) => {
    if (found.includes('\n')) return reject('one pattern is one line');
    if (found.split('/').includes('..')) return reject('it has a ".." step');
    const bare = found.replace(/\\./g, '');
    const [opened, closed] = ['{', '}'].map((brace) => bare.split(brace).length);
    if (opened !== closed) {
      return reject('its braces do not match; a comma separates items, so write patterns with commas as a JSON array');
    }
    return /\[[^\]]*$/.test(bare) ? reject('a [ is not closed') : found;
  },
);

// --- utils ---

function jsonItems(found: string, reject: Reject): readonly string[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(found);
  } catch {
    // What exactly the JSON parser disliked would repeat the value, which may be long; the example says enough.
    return reject('it begins with [ but is not a JSON array');
  }
  const items = Array.isArray(parsed) ? parsed : [];
  const isPlain = (part: unknown): part is string | number => typeof part === 'string' || typeof part === 'number';
  return items.every(isPlain) ? items.map(String) : reject('a JSON array may hold only texts and numbers');
}

function isQuoted(found: string): boolean {
  return /^(["'`]).*\1$/s.test(found);
}

function hasControlCharacters(found: string): boolean {
  return /[^\P{Cc}\n\r\t]/u.test(found);
}
