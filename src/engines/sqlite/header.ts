/** The first 100 bytes of a SQLite file (https://sqlite.org/fileformat2.html#the_database_header). */
export interface Header {
  readonly isWal: boolean;
  /** Version of the library that wrote it last, e.g. `3.46.1`; undefined when it did not say. */
  readonly version: string | undefined;
}

export const headerBytes = 100;
const magic = Array.from(Buffer.from('SQLite format 3\0'));

/** Undefined when the bytes are no such header. */
export function parseHeader(bytes: readonly number[]): Header | undefined {
  if (bytes.length < headerBytes || !magic.every((byte, i) => bytes[i] === byte)) return undefined;
  const number = Buffer.from(bytes.slice(96, 100)).readUInt32BE();
  const parts = [number / 1_000_000, (number / 1000) % 1000, number % 1000].map(Math.floor);
  return { isWal: bytes[18] === 2, version: number > 0 ? parts.join('.') : undefined };
}
