/** Longest length encoding: one byte that says so, eight bytes of length. */
const longestLength = 9;

/** A length as it stands in an RDB; `special` encodings say how a string is stored instead of how long it is. */
export interface RdbLength {
  readonly value: number;
  readonly special: boolean;
}

/**
 * Bytes that come in chunks of any size, read by a generator: its methods yield while they wait for more, so that one
 * plain loop reads a file of any size in the memory of one chunk.
 */
export class ByteFeed {
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  #before = 0;

  /** Adds the next chunk; what was not read of the one before stays in front of it. */
  offer(chunk: Buffer): void {
    const rest = this.#chunk.subarray(this.#at);
    this.#before += this.#at;
    this.#chunk = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /** How many bytes were read or skipped. */
  get position(): number {
    return this.#before + this.#at;
  }

  *byte(): Generator<undefined, number> {
    while (this.#at >= this.#chunk.length) yield;
    const byte = this.#chunk[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** The next byte when it has come already, else undefined: the quick way. */
  nextByte(): number | undefined {
    const byte = this.#chunk[this.#at];
    if (byte !== undefined) this.#at += 1;
    return byte;
  }

  /** The next few bytes in one piece. */
  *bytes(count: number): Generator<undefined, Buffer> {
    while (this.#chunk.length - this.#at < count) yield;
    const bytes = this.#chunk.subarray(this.#at, this.#at + count);
    this.#at += count;
    return bytes;
  }

  /** Passes any number of bytes without holding them. */
  *skip(count: number): Generator<undefined, void> {
    let left = count;
    while (this.#chunk.length - this.#at < left) {
      left -= this.#chunk.length - this.#at;
      this.#at = this.#chunk.length;
      yield;
    }
    this.#at += left;
  }

  *length(): Generator<undefined, RdbLength> {
    const first = yield* this.byte();
    const kind = first >> 6;
    if (kind === 0) return { value: first & 0x3f, special: false };
    if (kind === 1) return { value: ((first & 0x3f) << 8) | (yield* this.byte()), special: false };
    if (kind === 3) return { value: first & 0x3f, special: true };
    if (first === 0x80) return { value: (yield* this.bytes(4)).readUInt32BE(), special: false };
    if (first === 0x81) return { value: Number((yield* this.bytes(8)).readBigUInt64BE()), special: false };
    return { value: Number.NaN, special: false };
  }

  /**
   * Passes a short plain string that lies in the present chunk as a whole, and says whether it did: nearly all strings
   * are such, and this costs a tenth of the general way.
   */
  passString(): boolean {
    const at = this.#at;
    if (this.#chunk.length - at < longestLength) return false;
    const first = this.#chunk[at] ?? 0;
    const kind = first >> 6;
    if (kind > 1) return false;
    const header = kind + 1;
    const length = kind === 0 ? first & 0x3f : ((first & 0x3f) << 8) | (this.#chunk[at + 1] ?? 0);
    if (at + header + length > this.#chunk.length) return false;
    this.#at = at + header + length;
    return true;
  }
}
