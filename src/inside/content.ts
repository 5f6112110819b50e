import { createHash } from 'node:crypto';

/** Takes the bytes of a file in the order of their places. */
export interface ContentHash {
  put(offset: number, bytes: Buffer): void;
  sha256(): string;
}

export function plainHash(): ContentHash {
  const hash = createHash('sha256');
  return { put: (_offset, bytes) => void hash.update(bytes), sha256: () => hash.digest('hex') };
}

const unit = 4096;
const zeros = Buffer.alloc(unit);

/**
 * The hash of a file with holes. Where exactly they lie is up to the file system, so blocks of zeros count as holes, and
 * every other one goes in with its number.
 */
export function holedHash(): ContentHash {
  const hash = createHash('sha256');
  const block = Buffer.alloc(unit);
  const number = Buffer.alloc(8);
  let current = -1;
  const flush = () => {
    if (current < 0 || block.equals(zeros)) return;
    number.writeBigUInt64LE(BigInt(current));
    hash.update(number).update(block);
  };
  return {
    put: (offset, bytes) => {
      for (let at = 0; at < bytes.length; ) {
        const index = Math.floor((offset + at) / unit);
        if (index !== current) {
          flush();
          block.fill(0);
          current = index;
        }
        const within = (offset + at) % unit;
        const count = Math.min(unit - within, bytes.length - at);
        bytes.copy(block, within, at, at + count);
        at += count;
      }
    },
    sha256: () => {
      flush();
      return hash.digest('hex');
    },
  };
}
