/**
 * Words of one SQL statement, for its keywords and names. Text is taken byte by byte (latin1): a dump holds the bodies of
 * routines in whatever character set they were written in, and they must go back as they came.
 */
export interface Token {
  readonly kind: 'word' | 'name' | 'string' | 'symbol';
  /** Words as written, names and strings without their quotes. */
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

const pattern =
  /(?<blank>[\s]+|--(?:[ \t][^\n]*|(?=\n|$))|#[^\n]*|\/\*M?!\d*|\*\/|\/\*(?!M?!)[\s\S]*?(?:\*\/|$))|(?<name>`(?:[^`]|``)*`)|(?<string>'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*")|(?<word>[\w$\x80-\xff]+)|(?<symbol>[\s\S])/gy;

/** Tokens of a statement in order; comments are left out, what a version comment (`/*!50001 … *​/`) wraps is not. */
export function* tokens(statement: string): Generator<Token> {
  const matcher = new RegExp(pattern);
  for (let match = matcher.exec(statement); match; match = matcher.exec(statement)) {
    const { blank, name, string, word } = match.groups ?? {};
    if (blank !== undefined) continue;
    const [raw] = match;
    const place = { start: match.index, end: match.index + raw.length };
    if (name !== undefined) yield { kind: 'name', value: raw.slice(1, -1).replaceAll('``', '`'), ...place };
    else if (string !== undefined)
      yield { kind: 'string', value: unescaped(raw.slice(1, -1), raw.charAt(0)), ...place };
    else yield { kind: word === undefined ? 'symbol' : 'word', value: raw, ...place };
  }
}

function unescaped(text: string, quote: string): string {
  return text.replaceAll(quote + quote, quote).replace(/\\([\s\S])/g, '$1');
}

/** A name as people write it, from the bytes a token holds. */
export function asText(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** The bytes of a name as tokens hold them. */
export function asBytes(value: string): string {
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** True for a token that may stand for a name: quoted either way, or a bare word. */
export function isName(token: Token | undefined): token is Token {
  return token !== undefined && token.kind !== 'symbol';
}

export function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.value.toUpperCase());
}

export function isSymbol(token: Token | undefined, symbol: string): boolean {
  return token?.kind === 'symbol' && token.value === symbol;
}
