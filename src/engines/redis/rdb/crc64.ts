/**
 * The checksum at the end of every RDB file: CRC-64 with the Jones polynomial, reflected, no final inversion. JavaScript
 * has no 64-bit integers that are fast, so each half is a 32-bit one; eight bytes are taken at a time ("slicing by 8"),
 * each from a table of its own.
 */
const polynomial = { high: 0x95ac9329, low: 0xac4bc9b5 };
const slices = 8;
const { low: lows, high: highs } = tables();

/** A running checksum. */
export class Crc64 {
  #low = 0;
  #high = 0;

  update(bytes: Uint8Array): void {
    let low = this.#low;
    let high = this.#high;
    let at = 0;
    for (const whole = bytes.length - (bytes.length % slices); at < whole; at += slices) {
      const a = (low & 255) ^ byteOf(bytes, at);
      const b = ((low >>> 8) & 255) ^ byteOf(bytes, at + 1);
      const c = ((low >>> 16) & 255) ^ byteOf(bytes, at + 2);
      const d = (low >>> 24) ^ byteOf(bytes, at + 3);
      const e = (high & 255) ^ byteOf(bytes, at + 4);
      const f = ((high >>> 8) & 255) ^ byteOf(bytes, at + 5);
      const g = ((high >>> 16) & 255) ^ byteOf(bytes, at + 6);
      const h = (high >>> 24) ^ byteOf(bytes, at + 7);
      low = fold(lows, a, b, c, d, e, f, g, h);
      high = fold(highs, a, b, c, d, e, f, g, h);
    }
    for (; at < bytes.length; at += 1) {
      const index = (low & 255) ^ byteOf(bytes, at);
      low = ((low >>> 8) | (high << 24)) ^ entry(lows, index);
      high = (high >>> 8) ^ entry(highs, index);
    }
    this.#low = low;
    this.#high = high;
  }

  /** Whether these eight bytes, least significant first, are the checksum of what was taken so far. */
  matches(stored: Buffer): boolean {
    return stored.readUInt32LE(0) === this.#low >>> 0 && stored.readUInt32LE(4) === this.#high >>> 0;
  }
}

/** The first byte of a group has seven more behind it, so it takes the table of seven further steps. */
function fold(
  table: Int32Array,
  a: number,
  b: number,
  c: number,
  d: number,
  e: number,
  f: number,
  g: number,
  h: number,
): number {
  return (
    entry(table, 1792 + a) ^
    entry(table, 1536 + b) ^
    entry(table, 1280 + c) ^
    entry(table, 1024 + d) ^
    entry(table, 768 + e) ^
    entry(table, 512 + f) ^
    entry(table, 256 + g) ^
    entry(table, h)
  );
}

/** Table n holds the checksum of each byte followed by n zero bytes. */
function tables(): { readonly low: Int32Array; readonly high: Int32Array } {
  const low = new Int32Array(slices * 256);
  const high = new Int32Array(slices * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let l = byte;
    let h = 0;
    for (let bit = 0; bit < 8; bit += 1) {
      const carry = l & 1;
      l = (l >>> 1) | (h << 31);
      h >>>= 1;
      if (carry) {
        l ^= polynomial.low;
        h ^= polynomial.high;
      }
    }
    low[byte] = l;
    high[byte] = h;
  }
  for (let at = 256; at < low.length; at += 1) {
    const l = entry(low, at - 256);
    const h = entry(high, at - 256);
    low[at] = ((l >>> 8) | (h << 24)) ^ entry(low, l & 255);
    high[at] = (h >>> 8) ^ entry(high, l & 255);
  }
  return { low, high };
}

function entry(table: Int32Array, index: number): number {
  return table[index] as number;
}

function byteOf(bytes: Uint8Array, index: number): number {
  return bytes[index] as number;
}
