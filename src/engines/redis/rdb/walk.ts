import { damaged } from './damage.ts';
import type { ByteFeed } from './feed.ts';
import { count, string, text } from './strings.ts';
import { moduleId, moduleParts, moduleTypeName, values } from './values.ts';

/** What one database of an RDB holds. */
export interface RdbDatabase {
  keys: number;
  /** Keys that expire: how many of them a server loads depends on when it does. */
  expires: number;
  /** Hashes with fields that expire: they vanish with their last field. */
  withFieldExpiry: number;
  /** Keys of each module type, by the type's nine-letter name. */
  readonly modules: Map<string, number>;
}

/** What an RDB says about itself. */
export interface RdbContent {
  readonly version: number;
  readonly aux: Map<string, string>;
  readonly databases: Map<number, RdbDatabase>;
  /** Module types that have data beside the keys; a server without their modules cannot load the file. */
  readonly moduleTypes: Set<string>;
  /** Function libraries. */
  libraries: number;
  /** Where the end mark was found, or undefined when a part of a later format was met before; counts are partial then. */
  end: number | undefined;
  unknown: string | undefined;
}

const opcode = {
  slotInfo: 0xf4,
  function: 0xf5,
  moduleAux: 0xf7,
  idle: 0xf8,
  frequency: 0xf9,
  aux: 0xfa,
  resize: 0xfb,
  expireMs: 0xfc,
  expire: 0xfd,
  select: 0xfe,
  end: 0xff,
} as const;

/**
 * Walks through an RDB from the header to the end mark, skipping values by their lengths. It knows every type up to RDB
 * version 12; at anything later it stops, and what it counted so far is no whole.
 */
export function* walk(feed: ByteFeed): Generator<undefined, RdbContent> {
  const content: RdbContent = {
    version: yield* header(feed),
    aux: new Map(),
    databases: new Map(),
    moduleTypes: new Set(),
    libraries: 0,
    end: undefined,
    unknown: undefined,
  };
  let database = databaseOf(content, 0);
  for (;;) {
    const code = feed.nextByte() ?? (yield* feed.byte());
    switch (code) {
      case opcode.end:
        content.end = feed.position;
        return content;
      case opcode.select:
        database = databaseOf(content, yield* count(feed));
        break;
      case opcode.resize:
        yield* count(feed);
        yield* count(feed);
        break;
      case opcode.slotInfo:
        for (let part = 0; part < 3; part += 1) yield* count(feed);
        break;
      case opcode.aux: {
        const name = yield* text(feed);
        const value = yield* text(feed);
        if (name !== undefined && value !== undefined) content.aux.set(name, value);
        break;
      }
      case opcode.function:
        yield* string(feed);
        content.libraries += 1;
        break;
      case opcode.moduleAux:
        content.moduleTypes.add(moduleTypeName(yield* moduleId(feed)));
        yield* count(feed); // Says that a number follows,
        yield* count(feed); // and that is when the module wants to be asked.
        yield* moduleParts(feed);
        break;
      case opcode.expireMs:
        yield* feed.skip(8);
        database.expires += 1;
        break;
      case opcode.expire:
        yield* feed.skip(4);
        database.expires += 1;
        break;
      case opcode.idle:
        yield* count(feed);
        break;
      case opcode.frequency:
        yield* feed.skip(1);
        break;
      default: {
        const value = values[code];
        if (!value) {
          content.unknown = `type ${code} at byte ${feed.position - 1}`;
          return content;
        }
        if (!feed.passString()) yield* string(feed);
        database.keys += 1;
        if (code === 24 || code === 25) database.withFieldExpiry += 1;
        if (value !== string || !feed.passString()) yield* value(feed, database);
      }
    }
  }
}

function* header(feed: ByteFeed): Generator<undefined, number> {
  const magic = (yield* feed.bytes(9)).toString('latin1');
  const version = /^(?:REDIS|VALKEY)(\d{3,4})$/.exec(magic)?.[1];
  if (version === undefined) throw damaged(`it does not begin like an RDB file but with ${JSON.stringify(magic)}`);
  return Number(version);
}

function databaseOf(content: RdbContent, number: number): RdbDatabase {
  const known = content.databases.get(number);
  if (known) return known;
  const database = { keys: 0, expires: 0, withFieldExpiry: 0, modules: new Map() };
  content.databases.set(number, database);
  return database;
}
