import { ByteSource } from './byte-source.ts';
import { type Name, toText } from './bytes.ts';
import { type ContentHash, holedHash, plainHash } from './content.ts';
import { type Entry, type EntryType, entryTypes } from './entry.ts';
import { KnownPaths } from './known-paths.ts';
import { badData } from './refusal.ts';
import { blockBytes, type Header, parseExtended, parseHeader } from './tar-header.ts';

export interface TarReading {
  /** Hears of each member once it was read whole. */
  onEntry(entry: Entry): void;
  /** Is given every byte of the archive, a member's only after its header was found harmless. */
  forward?(bytes: Buffer): Promise<void> | void;
  /** Files whose content is hashed as that of a file with holes, even where there are none. */
  readonly holed?: ReadonlySet<Name>;
}

/** GNU tar writes in records of so many bytes: an archive that ends elsewhere was cut. */
const recordBytes = 20 * blockBytes;
/** An extended header holds the access lists and attributes of one file, of which Linux allows 64 KiB each. */
const extendedLimit = 16 * 1024 ** 2;

/**
 * Reads a tar archive as our helpers make it to its very end. Refuses what is damaged, cut (also between two members), or
 * could write anywhere but below the folder it is unpacked into.
 */
export async function readTar(chunks: AsyncIterable<Buffer>, reading: TarReading): Promise<void> {
  const source = new ByteSource(chunks);
  const paths = new KnownPaths();
  const forward = reading.forward ?? (() => {});
  let extended = new Map<string, Name>();
  /** Blocks of the present member that nobody has judged yet. */
  let unjudged: Buffer[] = [];
  for (;;) {
    const block = await source.exact(blockBytes);
    unjudged.push(block);
    if (isZero(block)) break;
    const header = parseHeader(block);
    if (header.type === 'x') {
      if (header.size > extendedLimit || extended.size > 0) throw badData('an extended header is damaged');
      const body = await source.exact(padded(header.size));
      unjudged.push(body);
      extended = parseExtended(body.subarray(0, header.size));
      continue;
    }
    const member = memberOf(header, extended);
    paths.add(member.entry);
    for (const bytes of unjudged) await forward(bytes);
    const { path } = member.entry;
    const isHoled = member.isSparse || reading.holed?.has(path) === true;
    const content = member.entry.type === 'file' ? (isHoled ? holedHash() : plainHash()) : undefined;
    await readContent(source, member, content, forward);
    reading.onEntry(
      content ? { ...member.entry, sha256: content.sha256(), ...(isHoled ? { hasHoles: true } : {}) } : member.entry,
    );
    unjudged = [];
    extended = new Map();
  }
  await readEnd(source, unjudged, extended.size > 0, forward);
}

// --- utils ---

interface Member {
  readonly entry: Entry;
  readonly isSparse: boolean;
  /** Bytes that follow the header. */
  readonly stored: number;
}

/** Any other record could mean something to tar that we do not see. */
const knownKeys = /^(?:path|linkpath|size|uid|gid|mtime|SCHILY\.(?:xattr|acl)\..+)$/s;
const sparseKeys = /^GNU\.sparse\.(?:major|minor|name|realsize)$/;

function memberOf(header: Header, extended: ReadonlyMap<string, Name>): Member {
  const type: EntryType | undefined = entryTypes[(header.type === '\0' ? '0' : header.type) as keyof typeof entryTypes];
  if (!type) throw badData(`it holds a member of the unknown type ${JSON.stringify(header.type)}`);
  const number = (key: string, otherwise: number) => {
    const value = Number(extended.get(key) ?? otherwise);
    return Number.isSafeInteger(value) && value >= 0 ? value : fail(`a header says ${key} is ${extended.get(key)}`);
  };
  const isSparse = extended.get('GNU.sparse.major') === '1' && extended.get('GNU.sparse.minor') === '0';
  const stranger = [...extended.keys()].find((key) => !knownKeys.test(key) && !(isSparse && sparseKeys.test(key)));
  if (stranger !== undefined)
    throw badData(`a header speaks of ${JSON.stringify(stranger)}, which our archives do not`);
  const stored = number('size', header.size);
  if (type !== 'file' && stored !== 0) throw badData('a member that is no file has content');
  const name = (isSparse ? extended.get('GNU.sparse.name') : undefined) ?? extended.get('path') ?? header.name;
  const isLink = type === 'symbolic link' || type === 'hard link';
  const to = extended.get('linkpath') ?? header.link;
  const attributes = new Map(
    [...extended].flatMap(([key, value]) =>
      key.startsWith('SCHILY.') ? [[key.slice('SCHILY.'.length), value] as const] : [],
    ),
  );
  return {
    isSparse,
    stored,
    entry: {
      path: relative(name),
      type,
      mode: header.mode & 0o7777,
      uid: number('uid', header.uid),
      gid: number('gid', header.gid),
      mtime: extended.get('mtime') ?? String(header.mtime),
      ...(type === 'file' ? { size: isSparse ? number('GNU.sparse.realsize', stored) : stored } : {}),
      ...(isLink ? { to: type === 'hard link' ? relative(to) : to } : {}),
      ...(type.endsWith('device') ? { device: header.device } : {}),
      ...(attributes.size > 0 ? { attributes } : {}),
    },
  };
}

/** `./a/b/` → `a/b`; the folder itself is empty. Anything that does not begin so was not made by us. */
function relative(name: Name): Name {
  if (name === './' || name === '.') return '';
  if (!name.startsWith('./')) throw badData(`member ${JSON.stringify(toText(name))} is not below the folder`);
  return name.slice(2).replace(/\/$/, '');
}

async function readContent(
  source: ByteSource,
  { entry, isSparse, stored }: Member,
  content: ContentHash | undefined,
  forward: NonNullable<TarReading['forward']>,
): Promise<void> {
  if (stored === 0 && !isSparse) return;
  let left = stored;
  const regions: [number, number][] = isSparse ? await readMap() : [[0, stored]];
  for (const [offset, length] of regions) {
    if (offset + length > (entry.size ?? 0)) throw badData('the map of a file with holes is damaged');
    let at = offset;
    for await (const piece of source.pieces(length)) {
      content?.put(at, piece);
      at += piece.length;
      await forward(piece);
    }
    left -= length;
  }
  if (left !== 0) throw badData('the map of a file with holes is damaged');
  const padding = await source.exact(padded(stored) - stored);
  await forward(padding);

  /** Decimal numbers, a line each, padded to whole blocks: how many regions there are, then place and length of each. */
  async function readMap(): Promise<[number, number][]> {
    const numbers: number[] = [];
    let line = '';
    while (numbers.length === 0 || numbers.length < 1 + 2 * (numbers[0] ?? 0)) {
      const block = await source.exact(blockBytes);
      await forward(block);
      left -= blockBytes;
      if (left < 0) throw badData('the map of a file with holes is damaged');
      for (const character of block.toString('latin1')) {
        if (character !== '\n') line += character;
        else {
          numbers.push(/^\d{1,16}$/.test(line) ? Number(line) : fail('the map of a file with holes is damaged'));
          line = '';
        }
        if (numbers.length > 0 && numbers.length === 1 + 2 * (numbers[0] ?? 0)) break;
      }
    }
    return Array.from({ length: numbers[0] ?? 0 }, (_, i) => [numbers[1 + 2 * i] ?? 0, numbers[2 + 2 * i] ?? 0]);
  }
}

async function readEnd(
  source: ByteSource,
  unjudged: readonly Buffer[],
  isBroken: boolean,
  forward: NonNullable<TarReading['forward']>,
): Promise<void> {
  if (isBroken) throw badData('an extended header is followed by no member');
  for (const bytes of unjudged) await forward(bytes);
  const second = await source.exact(blockBytes);
  if (!isZero(second)) throw badData('its end is damaged');
  await forward(second);
  for await (const bytes of source.rest()) {
    if (!isZero(bytes)) throw badData('something follows its end');
    await forward(bytes);
  }
  if (source.taken % recordBytes !== 0) throw badData(`it is cut after ${source.taken} bytes`);
}

function padded(size: number): number {
  return Math.ceil(size / blockBytes) * blockBytes;
}

function isZero(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}

function fail(message: string): never {
  throw badData(message);
}
