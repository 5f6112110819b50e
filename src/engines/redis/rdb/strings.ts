import { damaged } from './damage.ts';
import type { ByteFeed, RdbLength } from './feed.ts';

const longestText = 4096;

/** A length that must be one. */
export function* count(feed: ByteFeed): Generator<undefined, number> {
  return plain(feed, yield* feed.length());
}

function plain(feed: ByteFeed, length: RdbLength): number {
  if (!length.special && Number.isSafeInteger(length.value)) return length.value;
  throw damaged(`an impossible length before byte ${feed.position}`);
}

/** Bytes that a string takes after its length; integers and compressed strings have lengths of their own. */
function* stringBytes(feed: ByteFeed): Generator<undefined, { size: number; special: number | undefined }> {
  const length = yield* feed.length();
  if (!length.special) return { size: plain(feed, length), special: undefined };
  if (length.value < 3) return { size: 1 << length.value, special: length.value };
  if (length.value > 3) throw damaged(`a string of an unknown kind before byte ${feed.position}`);
  const compressed = yield* count(feed);
  yield* count(feed);
  return { size: compressed, special: length.value };
}

export function* string(feed: ByteFeed): Generator<undefined, void> {
  const { size } = yield* stringBytes(feed);
  yield* feed.skip(size);
}

/** A short string as text; undefined for what is none. */
export function* text(feed: ByteFeed): Generator<undefined, string | undefined> {
  const { size, special } = yield* stringBytes(feed);
  if (special === 3 || size > longestText) {
    yield* feed.skip(size);
    return undefined;
  }
  const bytes = yield* feed.bytes(size);
  return special === undefined ? bytes.toString('utf8') : String(bytes.readIntLE(0, size));
}
