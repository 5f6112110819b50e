import { damaged } from './damage.ts';
import type { ByteFeed } from './feed.ts';
import { count, string } from './strings.ts';
import type { RdbDatabase } from './walk.ts';

/** Passes one value; the database it belongs to is told what is worth counting. */
export type Value = (feed: ByteFeed, database: RdbDatabase) => Generator<undefined, void>;

/** How the value of each type is passed; the index is the type's number. */
export const values: readonly (Value | undefined)[] = Object.assign(new Array<Value | undefined>(26).fill(undefined), {
  0: string,
  1: strings(1),
  2: strings(1),
  3: sortedSetOfText,
  4: strings(2),
  5: sortedSet,
  7: moduleValue,
  9: string,
  10: string,
  11: string,
  12: string,
  13: string,
  14: strings(1),
  15: stream(1),
  16: string,
  17: string,
  18: quicklist,
  19: stream(2),
  20: string,
  21: stream(3),
  24: hashWithExpiry,
  25: packedHashWithExpiry,
} satisfies Record<number, Value>);

function strings(each: 1 | 2): Value {
  return function* (feed) {
    for (let left = (yield* count(feed)) * each; left > 0; left -= 1) if (!feed.passString()) yield* string(feed);
  };
}

function* sortedSetOfText(feed: ByteFeed): Generator<undefined, void> {
  for (let left = yield* count(feed); left > 0; left -= 1) {
    yield* string(feed);
    const length = yield* feed.byte();
    if (length < 253) yield* feed.skip(length); // Above are not-a-number and the two infinities.
  }
}

function* sortedSet(feed: ByteFeed): Generator<undefined, void> {
  for (let left = yield* count(feed); left > 0; left -= 1) {
    if (!feed.passString()) yield* string(feed);
    yield* feed.skip(8);
  }
}

function* quicklist(feed: ByteFeed): Generator<undefined, void> {
  for (let left = yield* count(feed); left > 0; left -= 1) {
    yield* count(feed);
    yield* string(feed);
  }
}

function* hashWithExpiry(feed: ByteFeed): Generator<undefined, void> {
  yield* feed.skip(8);
  for (let left = yield* count(feed); left > 0; left -= 1) {
    yield* count(feed);
    yield* string(feed);
    yield* string(feed);
  }
}

function* packedHashWithExpiry(feed: ByteFeed): Generator<undefined, void> {
  yield* feed.skip(8);
  yield* string(feed);
}

const streamIdBytes = 16;

function stream(format: 1 | 2 | 3): Value {
  return function* (feed) {
    for (let left = yield* count(feed); left > 0; left -= 1) {
      yield* string(feed);
      yield* string(feed);
    }
    yield* lengths(feed, format === 1 ? 3 : 8); // Length, last id; later first id, last deleted id, entries ever added.
    for (let groups = yield* count(feed); groups > 0; groups -= 1) {
      yield* string(feed);
      yield* lengths(feed, format === 1 ? 2 : 3); // Last id; later entries read.
      for (let pending = yield* count(feed); pending > 0; pending -= 1) {
        yield* feed.skip(streamIdBytes + 8);
        yield* feed.length();
      }
      for (let consumers = yield* count(feed); consumers > 0; consumers -= 1) {
        yield* string(feed);
        yield* feed.skip(format === 3 ? 16 : 8); // Seen, later also active.
        yield* feed.skip((yield* count(feed)) * streamIdBytes);
      }
    }
  };
}

/** Lengths that are only numbers here, up to 64 bits. */
function* lengths(feed: ByteFeed, many: number): Generator<undefined, void> {
  for (let left = many; left > 0; left -= 1) yield* feed.length();
}

function* moduleValue(feed: ByteFeed, database: RdbDatabase): Generator<undefined, void> {
  const name = moduleTypeName(yield* moduleId(feed));
  database.modules.set(name, (database.modules.get(name) ?? 0) + 1);
  yield* moduleParts(feed);
}

/** Module values name the kind of each part, so that they can be passed without the module. */
export function* moduleParts(feed: ByteFeed): Generator<undefined, void> {
  for (;;) {
    switch (yield* count(feed)) {
      case 0:
        return;
      case 1:
      case 2:
        yield* feed.length();
        break;
      case 3:
        yield* feed.skip(4);
        break;
      case 4:
        yield* feed.skip(8);
        break;
      case 5:
        if (!feed.passString()) yield* string(feed);
        break;
      default:
        throw damaged(`a part of an unknown kind in a module's value before byte ${feed.position}`);
    }
  }
}

export function* moduleId(feed: ByteFeed): Generator<undefined, bigint> {
  const kind = yield* feed.byte();
  if (kind !== 0x81) throw damaged(`a module's value without its type before byte ${feed.position}`);
  return (yield* feed.bytes(8)).readBigUInt64BE();
}

const moduleLetters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** A module type's id is its name, nine letters of six bits, and ten bits of encoding version. */
export function moduleTypeName(id: bigint): string {
  let name = '';
  for (let shift = 58n; shift >= 10n; shift -= 6n) name += moduleLetters[Number((id >> shift) & 63n)];
  return name;
}
