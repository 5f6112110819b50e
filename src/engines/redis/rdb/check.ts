import { Crc64 } from './crc64.ts';
import { damaged } from './damage.ts';
import { ByteFeed } from './feed.ts';
import { type RdbContent, walk } from './walk.ts';

const checksumBytes = 8;
const endMark = 0xff;

/** What the check found in a whole RDB. */
export interface CheckedRdb {
  readonly content: RdbContent;
  readonly bytes: number;
  /** The server wrote no checksum (`rdbchecksum no`): cuts are still noticed, a flipped bit may not be. */
  readonly unsummed: boolean;
}

/**
 * Checks an RDB as it streams by, in constant memory: how it begins, every length in it up to the end mark, the checksum
 * over all of it, and that nothing follows. `redis-check-rdb` does not see what follows the checksum, and
 * `redis-cli --rdb -` leaves forty bytes there.
 */
export class RdbCheck {
  readonly #crc = new Crc64();
  readonly #feed = new ByteFeed();
  readonly #walk = walk(this.#feed);
  #content: RdbContent | undefined;
  #bytes = 0;
  #tail: Buffer = Buffer.alloc(0);
  #beforeTail = -1;

  /** Takes the next bytes; throws PROOF_FAILED as soon as they cannot be right. */
  take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    this.#sum(chunk);
    if (this.#content) return;
    this.#feed.offer(chunk);
    const step = this.#walk.next();
    if (step.done) this.#content = step.value;
  }

  /** To be called after the last bytes; throws PROOF_FAILED unless all was right. */
  end(): CheckedRdb {
    const content = this.#content;
    if (!content) throw damaged(`it breaks off after ${this.#bytes} bytes`);
    if (content.version < 5) throw damaged(`RDB version ${content.version} is too old to be checked`);
    if (content.end !== undefined) {
      const after = this.#bytes - content.end;
      if (after < checksumBytes) throw damaged(`it breaks off after ${this.#bytes} bytes, within its checksum`);
      if (after > checksumBytes) throw damaged(`${after - checksumBytes} bytes follow its end`);
    }
    if (this.#beforeTail !== endMark) throw damaged('it does not end with an end mark and a checksum');
    const unsummed = this.#tail.every((byte) => byte === 0);
    if (!unsummed && !this.#crc.matches(this.#tail)) throw damaged('its bytes do not add up to its checksum');
    return { content, bytes: this.#bytes, unsummed };
  }

  /** The checksum covers all but itself, so the last bytes so far are held back. */
  #sum(chunk: Buffer): void {
    const all = chunk.length < checksumBytes ? Buffer.concat([this.#tail, chunk]) : chunk;
    const kept = Math.max(0, all.length - checksumBytes);
    if (all === chunk) this.#add(this.#tail);
    this.#add(all.subarray(0, kept));
    this.#tail = Buffer.from(all.subarray(kept));
  }

  #add(bytes: Buffer): void {
    this.#crc.update(bytes);
    this.#beforeTail = bytes.at(-1) ?? this.#beforeTail;
  }
}
