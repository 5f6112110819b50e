import {
  backslash,
  backtick,
  close,
  commentEnd,
  dash,
  dollar,
  dollarTag,
  doubleQuote,
  hash,
  isDashComment,
  isDelimiter,
  isPlainComment,
  isSandbox,
  lineFeed,
  lookahead,
  newline,
  open,
  quote,
  slash,
  space,
  specialBytes,
} from './bytes.ts';

/** A piece of a dump, in order. */
export type Piece =
  /** Bytes of one statement without its delimiter; it may come in many pieces, so that no row is ever held as a whole. */
  | {
      readonly kind: 'statement';
      readonly bytes: Buffer;
      readonly isLast: boolean;
      /** How many parentheses were opened at its outermost level: the rows of an INSERT. */
      readonly groups: number;
      /** True when every parenthesis opened so far was closed. */
      readonly isBalanced: boolean;
    }
  /** A comment line between statements, without its newline. */
  | { readonly kind: 'comment'; readonly text: string };

const commentLimit = 1024 * 1024;

/** A statement that sets the SQL mode of the session: to a list of words, or back to what a variable holds. */
const settingMode = /^\s*(?:\/\*M?!\d*\s*)?SET(?=\s).*?[\s,.]sql_mode\s*=\s*('[^']*'|@)/is;

type Mode = 'between' | 'code' | 'string' | 'line comment' | 'block comment' | 'dollar quote';

/**
 * Splits the text that mysqldump and mariadb-dump write at the same places as their clients do: outside strings, quoted
 * names and comments, honouring DELIMITER, NO_BACKSLASH_ESCAPES and the dollar quotes of MySQL 9. Memory is bounded by
 * the chunks it is given.
 */
export class SqlScanner {
  #mode: Mode = 'between';
  #carry: Buffer = Buffer.alloc(0);
  #delimiter = Buffer.from(';');
  #special = specialBytes(';');
  #quote = 0;
  #tag: Buffer = Buffer.alloc(0);
  #skip = 0;
  #escapes = true;
  /** Double quotes hold names. */
  #hasAnsiQuotes = false;
  #hasDollarQuotes = false;
  #isLineStart = true;
  #isFirst = true;
  #previous = 0;
  #depth = 0;
  #groups = 0;
  #head = '';
  /** The last byte seen at all. */
  lastByte: number | undefined;

  /** True when no statement, string or comment is open and the delimiter is the usual one. */
  get isAtRest(): boolean {
    return this.#mode === 'between' && this.#carry.length === 0 && this.#delimiter.toString() === ';';
  }

  /** Pieces that the next bytes complete. */
  *scan(chunk: Buffer): Generator<Piece> {
    if (chunk.length === 0) return;
    this.lastByte = chunk[chunk.length - 1];
    yield* this.#read(this.#carry.length > 0 ? Buffer.concat([this.#carry, chunk]) : chunk, false);
  }

  /** Pieces that only the end of the text completes. */
  *end(): Generator<Piece> {
    yield* this.#read(this.#carry, true);
  }

  *#read(bytes: Buffer, isFinal: boolean): Generator<Piece> {
    const limit = isFinal ? bytes.length : bytes.length - lookahead;
    let at = 0;
    let start = 0;
    while (at < bytes.length) {
      if (this.#mode === 'between') {
        const { next, piece } = this.#between(bytes, at, limit, isFinal);
        if (piece) yield piece;
        if (next === at && this.#mode === 'between') break;
        at = next;
        start = at;
        continue;
      }
      const next = this.#inside(bytes, at, limit, isFinal);
      if (next >= 0) {
        if (next === at) break; // Nothing more can be said before more bytes have come.
        at = next;
        continue;
      }
      // The delimiter stands at ~next.
      const stop = ~next;
      yield this.#statement(bytes.subarray(start, stop), true);
      at = stop + this.#delimiter.length;
      start = at;
      this.#finish();
    }
    if (at > 0) this.#previous = bytes[at - 1] ?? 0;
    if (this.#mode !== 'between' && at > start) yield this.#statement(bytes.subarray(start, at), false);
    this.#carry = bytes.subarray(at);
  }

  /** Between statements: blanks, comment lines, DELIMITER. Returns the place it cannot pass without more bytes. */
  #between(bytes: Buffer, from: number, limit: number, isFinal: boolean): { next: number; piece?: Piece } {
    let at = from;
    for (; at < bytes.length; at += 1) {
      const byte = bytes[at] as number;
      if (byte === newline) this.#isLineStart = true;
      else if (byte !== space && byte !== 9 && byte !== 13) break;
    }
    if (at === bytes.length || (at >= limit && !isFinal)) return { next: at };
    if (isDelimiter(bytes, at, this.#delimiter)) return { next: at + this.#delimiter.length };
    const lineEnd = bytes.indexOf(newline, at);
    if (this.#opensLine(bytes, at)) {
      if (lineEnd < 0 && !isFinal) {
        if (bytes.length - at > commentLimit) throw new RangeError('a comment line of more than 1 MiB');
        return { next: at };
      }
      return this.#line(bytes.subarray(at, lineEnd < 0 ? bytes.length : lineEnd), lineEnd < 0 ? bytes.length : lineEnd);
    }
    this.#mode = 'code';
    this.#isLineStart = false;
    this.#isFirst = false;
    return { next: at };
  }

  #opensLine(bytes: Buffer, at: number): boolean {
    const byte = bytes[at];
    if (byte === hash || isDashComment(bytes, at)) return true;
    if (this.#isFirst && byte === slash && isSandbox(bytes, at)) return true;
    return this.#isLineStart && /^delimiter\s/i.test(bytes.toString('latin1', at, at + 10));
  }

  #line(bytes: Buffer, next: number): { next: number; piece?: Piece } {
    const text = bytes.toString('utf8');
    const delimiter = this.#isLineStart ? /^delimiter\s+(\S+)\s*$/i.exec(text)?.[1] : undefined;
    this.#isFirst = false;
    if (delimiter !== undefined) {
      this.#delimiter = Buffer.from(delimiter);
      this.#special = specialBytes(delimiter);
      return { next };
    }
    // Before 10.5 the tools of MariaDB called themselves MySQL.
    if (/^-- MySQL dump .*Distrib (?:9|\d\d)\.(?!\S*MariaDB)/.test(text)) this.#hasDollarQuotes = true;
    return { next, piece: { kind: 'comment', text } };
  }

  /** Goes through a statement; returns where it got to, or the complement of the place of its delimiter. */
  #inside(bytes: Buffer, from: number, limit: number, isFinal: boolean): number {
    switch (this.#mode) {
      case 'string':
        return this.#string(bytes, from);
      case 'line comment':
        return this.#until(bytes, from, lineFeed, isFinal);
      case 'block comment':
        return this.#until(bytes, from, commentEnd, isFinal);
      case 'dollar quote':
        return this.#until(bytes, from, this.#tag, isFinal);
      default:
        return this.#code(bytes, from, limit);
    }
  }

  #string(bytes: Buffer, from: number): number {
    let at = from + this.#skip;
    this.#skip = 0;
    const end = bytes.length;
    const mark = this.#quote;
    const isName = mark === backtick || (mark === doubleQuote && this.#hasAnsiQuotes);
    const escaping = this.#escapes && !isName ? backslash : mark;
    while (at < end) {
      const byte = bytes[at] as number;
      at += 1;
      if (byte === mark) {
        this.#mode = 'code';
        return at;
      }
      if (byte === escaping) at += 1;
    }
    this.#skip = at - end;
    return end;
  }

  #until(bytes: Buffer, from: number, mark: Buffer, isFinal: boolean): number {
    const found = bytes.indexOf(mark, from);
    if (found < 0) return isFinal ? bytes.length : Math.max(from, bytes.length - mark.length + 1);
    this.#mode = 'code';
    return found + mark.length;
  }

  #code(bytes: Buffer, from: number, limit: number): number {
    const special = this.#special;
    let at = from;
    while (at < limit) {
      const byte = bytes[at] as number;
      if (special[byte] === 0) {
        at += 1;
        continue;
      }
      if (isDelimiter(bytes, at, this.#delimiter)) return ~at;
      if (byte === open) {
        if (this.#depth === 0) this.#groups += 1;
        this.#depth += 1;
      } else if (byte === close) {
        this.#depth -= 1;
      } else if (byte === quote || byte === doubleQuote || byte === backtick) {
        this.#mode = 'string';
        this.#quote = byte;
        return at + 1;
      } else if (byte === hash || (byte === dash && isDashComment(bytes, at))) {
        this.#mode = 'line comment';
        return at + 1;
      } else if (byte === slash && isPlainComment(bytes, at)) {
        this.#mode = 'block comment';
        return at + 2;
      } else if (byte === dollar && this.#hasDollarQuotes) {
        const tag = dollarTag(bytes, at, at > 0 ? (bytes[at - 1] as number) : this.#previous);
        if (tag) {
          this.#mode = 'dollar quote';
          this.#tag = tag;
          return at + tag.length;
        }
      }
      at += 1;
    }
    return at;
  }

  #statement(bytes: Buffer, isLast: boolean): Piece {
    if (this.#head.length < 512) this.#head += bytes.toString('latin1', 0, 512);
    return { kind: 'statement', bytes, isLast, groups: this.#groups, isBalanced: this.#depth === 0 };
  }

  /** After a statement: its successor may be read under another SQL mode. */
  #finish(): void {
    const mode = settingMode.exec(this.#head)?.[1];
    if (mode !== undefined) {
      this.#escapes = !/NO_BACKSLASH_ESCAPES/i.test(mode);
      this.#hasAnsiQuotes = /ANSI_QUOTES/i.test(mode);
    }
    this.#mode = 'between';
    this.#isLineStart = false;
    this.#depth = 0;
    this.#groups = 0;
    this.#head = '';
  }
}
