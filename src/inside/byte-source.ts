import { badData } from './refusal.ts';

/** Bytes by number, out of chunks as they come. */
export class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #held: Buffer = Buffer.alloc(0);
  /** How many were taken. */
  taken = 0;

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Exactly so many; few enough for memory. */
  async exact(count: number): Promise<Buffer> {
    if (this.#held.length < count) {
      const parts = [this.#held];
      let length = this.#held.length;
      while (length < count) {
        const next = await this.#next();
        parts.push(next);
        length += next.length;
      }
      this.#held = Buffer.concat(parts);
    }
    return this.#take(count);
  }

  /** So many, in pieces as they come. */
  async *pieces(count: number): AsyncGenerator<Buffer> {
    for (let left = count; left > 0; ) {
      if (this.#held.length === 0) this.#held = await this.#next();
      const piece = this.#take(Math.min(left, this.#held.length));
      left -= piece.length;
      yield piece;
    }
  }

  /** All that is left. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#held.length > 0) yield this.#take(this.#held.length);
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) return;
      this.taken += value.length;
      yield value;
    }
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    this.taken += count;
    return taken;
  }

  async #next(): Promise<Buffer> {
    for (;;) {
      const { done, value } = await this.#chunks.next();
      if (done) throw badData(`it is cut after ${this.taken + this.#held.length} bytes`);
      if (value.length > 0) return value;
    }
  }
}
