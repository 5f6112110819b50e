/** Bytes that mean something in SQL. */
export const newline = 10;
export const space = 32;
export const doubleQuote = 34;
export const hash = 35;
export const dollar = 36;
export const quote = 39;
export const open = 40;
export const close = 41;
export const dash = 45;
export const slash = 47;
export const backslash = 92;
export const backtick = 96;
const exclamation = 33;
const star = 42;
const upperM = 77;

/** As many bytes as a decision may need to see ahead: a delimiter, the opening of a comment, the tag of a dollar quote. */
export const lookahead = 80;

/** What ends a comment line. */
export const lineFeed = Buffer.from('\n');
/** What ends a block comment. */
export const commentEnd = Buffer.from('*/');

/** Bytes that can mean something outside strings. */
export function specialBytes(delimiter: string): Uint8Array {
  const table = new Uint8Array(256);
  for (const byte of [doubleQuote, hash, dollar, quote, open, close, dash, slash, backtick]) table[byte] = 1;
  table[delimiter.charCodeAt(0)] = 1;
  return table;
}

export function isDelimiter(bytes: Buffer, at: number, delimiter: Buffer): boolean {
  for (let index = 0; index < delimiter.length; index += 1) {
    if (bytes[at + index] !== delimiter[index]) return false;
  }
  return true;
}

/** `--` opens a comment only before a blank or at the end of a line. */
export function isDashComment(bytes: Buffer, at: number): boolean {
  if (bytes[at] !== dash || bytes[at + 1] !== dash) return false;
  const after = bytes[at + 2];
  return after === undefined || after <= space;
}

/** What `/*!` and `/*M!` wrap is code. */
export function isPlainComment(bytes: Buffer, at: number): boolean {
  if (bytes[at + 1] !== star) return false;
  const mark = bytes[at + 2] === upperM ? bytes[at + 3] : bytes[at + 2];
  return mark !== exclamation;
}

/** The first line of newer dumps of MariaDB: a command to the client, without a delimiter. */
export function isSandbox(bytes: Buffer, at: number): boolean {
  return /^\/\*M?!999999\\- /.test(bytes.toString('latin1', at, at + 14));
}

/** `$tag$` where it is not the inside of a name. */
export function dollarTag(bytes: Buffer, at: number, previous: number): Buffer | undefined {
  if (/[\w$\x80-\xff]/.test(String.fromCharCode(previous))) return undefined;
  const found = /^\$[\w\x80-\xff]*\$/.exec(bytes.toString('latin1', at, at + lookahead))?.[0];
  return found === undefined ? undefined : Buffer.from(found, 'latin1');
}
