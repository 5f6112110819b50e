import { fromBytes, type Name } from './bytes.ts';
import { badData } from './refusal.ts';

export const blockBytes = 512;

/** The fixed block before each member, as far as it matters to us. */
export interface Header {
  readonly type: string;
  readonly name: Name;
  readonly link: Name;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly device: string;
}

/** Reads a POSIX ustar header; refuses any other. */
export function parseHeader(block: Buffer): Header {
  if (fromBytes(block.subarray(257, 263)) !== 'ustar\0') throw badData('it is no POSIX tar archive, or damaged');
  if (checksum(block) !== octal(block, 148, 8)) throw badData('a header does not match its checksum');
  const prefix = text(block, 345, 155);
  const name = text(block, 0, 100);
  return {
    type: String.fromCharCode(block[156] ?? 0),
    name: prefix === '' ? name : `${prefix}/${name}`,
    link: text(block, 157, 100),
    mode: octal(block, 100, 8),
    uid: octal(block, 108, 8),
    gid: octal(block, 116, 8),
    size: octal(block, 124, 12),
    mtime: octal(block, 136, 12),
    device: `${octal(block, 329, 8)}:${octal(block, 337, 8)}`,
  };
}

/** The records of an extended header: `LENGTH KEY=VALUE\n`, where the length counts itself and the value may be any bytes. */
export function parseExtended(body: Buffer): Map<string, Name> {
  const records = new Map<string, Name>();
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = Number(fromBytes(body.subarray(at, space)));
    const end = at + length;
    if (space < 0 || !Number.isInteger(length) || end > body.length || end <= space || body[end - 1] !== 0x0a)
      throw badData('an extended header is damaged');
    const record = fromBytes(body.subarray(space + 1, end - 1));
    const equals = record.indexOf('=');
    if (equals < 0) throw badData('an extended header is damaged');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return records;
}

// --- utils ---

/** The sum of all bytes, with spaces in the place of the checksum itself. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < blockBytes; i += 1) if (i < 148 || i >= 156) sum += block[i] ?? 0;
  return sum;
}

function text(block: Buffer, at: number, length: number): Name {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return fromBytes(end < 0 ? field : field.subarray(0, end));
}

function octal(block: Buffer, at: number, length: number): number {
  const digits = text(block, at, length).trim();
  if (!/^[0-7]*$/.test(digits)) throw badData('a header holds a number that POSIX does not know');
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}
