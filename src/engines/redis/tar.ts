import { LifeboatError } from '../../domain/errors.ts';

/** One entry of a tar that is written as it streams. */
export interface TarEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** A file's size and bytes, which must be exactly as many; absent for a folder. */
  readonly file?: { readonly bytes: number; open(): Promise<AsyncIterable<Uint8Array>> };
}

const block = 512;
const longestName = 99;
const largestOctal = 8 ** 11;

/** Writes entries as a plain POSIX tar, without holding any of them. */
export async function* tarOf(entries: readonly TarEntry[], now: Date): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    yield headerOf(entry, now);
    if (!entry.file) continue;
    let written = 0;
    for await (const chunk of await entry.file.open()) {
      written += chunk.length;
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    }
    if (written !== entry.file.bytes) {
      throw new LifeboatError('INTERNAL', `${entry.name} has ${written} bytes instead of ${entry.file.bytes}`);
    }
    yield Buffer.alloc((block - (written % block)) % block);
  }
  yield Buffer.alloc(2 * block);
}

function headerOf({ name, uid, gid, mode, file }: TarEntry, now: Date): Buffer {
  const path = file ? name : `${name}/`;
  if (Buffer.byteLength(path) > longestName) throw new LifeboatError('INTERNAL', `the file name ${name} is too long`);
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, width: number) =>
    header.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
  header.write(path, 0, 'utf8');
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  writeSize(header, file?.bytes ?? 0);
  octal(Math.floor(now.getTime() / 1000), 136, 12);
  header.fill(' ', 148, 156);
  header.write(file ? '0' : '5', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return header;
}

/** Eleven octal digits end at 8 GiB; above that the field is binary, which the Engine reads as well. */
function writeSize(header: Buffer, bytes: number): void {
  if (bytes < largestOctal) {
    header.write(bytes.toString(8).padStart(11, '0'), 124, 'latin1');
    return;
  }
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(bytes), 128);
}
