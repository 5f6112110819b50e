import { fromText, type Name, toBytes, toText } from './bytes.ts';

export const entryTypes = {
  '0': 'file',
  '1': 'hard link',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '5': 'folder',
  '6': 'fifo',
} as const;

export type EntryType = (typeof entryTypes)[keyof typeof entryTypes];

/** One thing in an archive, with everything that a restore must bring back. */
export interface Entry {
  /** Relative to the folder; empty for the folder itself. */
  readonly path: Name;
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds since 1970 with up to nine digits behind the point. */
  readonly mtime: string;
  /** Of a file. */
  readonly size?: number;
  /** Of a file's content; of one with holes only what is not zero, each block with its place. */
  readonly sha256?: string;
  readonly hasHoles?: boolean;
  /** Where a link leads. */
  readonly to?: Name;
  readonly device?: string;
  /** Access control lists and extended attributes. */
  readonly attributes?: ReadonlyMap<string, Name>;
}

/** The line of an entry in the list that is kept beside the archive. Equal lines mean equal things. */
export function lineOf(entry: Entry): string {
  const { path, type, mode, uid, gid, mtime, size, sha256, hasHoles, to, device, attributes } = entry;
  return JSON.stringify({
    ...nameFields('path', path),
    type,
    mode: mode.toString(8).padStart(4, '0'),
    owner: `${uid}:${gid}`,
    mtime,
    size,
    sha256,
    hasHoles,
    ...(to === undefined ? {} : nameFields('to', to)),
    device,
    attributes:
      attributes && attributes.size > 0
        ? Object.fromEntries(
            [...attributes].sort(byKey).map(([key, value]) => [toText(key), toBytes(value).toString('base64')]),
          )
        : undefined,
  });
}

// --- utils ---

/** A name that is not UTF-8 is given twice: readable, and exactly. */
function nameFields(field: string, name: Name): Record<string, string> {
  const text = toText(name);
  if (fromText(text) === name) return { [field]: text };
  return { [field]: text, [`${field}Base64`]: toBytes(name).toString('base64') };
}

function byKey([a]: [string, Name], [b]: [string, Name]): number {
  return a < b ? -1 : 1;
}
