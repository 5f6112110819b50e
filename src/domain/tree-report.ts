import type { TreeRules } from './tree-rules.ts';

/** What the programs in helpers of our own image are asked and answer; both sides are of the same build. */

export interface LookRequest {
  /** Where the folder is in the helper. */
  readonly at: string;
  readonly rules: TreeRules;
}

export interface FolderLook {
  readonly kind: 'folder' | 'missing' | 'other';
  /** Of the files that belong to a backup, without holes. */
  readonly bytes: number;
  /** What can still be written there. */
  readonly freeBytes: number;
  readonly sockets: number;
  /** Other file systems that are mounted below, relative. */
  readonly mounts: readonly string[];
}

/** Names of which only the first are kept. */
export interface Names {
  readonly count: number;
  readonly first: readonly string[];
}

/** How the dump of a folder went. */
export interface DumpReport {
  /** How many members the archive was asked to hold. */
  readonly members: number;
  /** Changed, shrank or vanished while they were read. */
  readonly changed: Names;
  /** Of them, those that are not in the archive at all. */
  readonly missing: number;
  readonly unreadable: Names;
  readonly sockets: number;
  /** Other things that tar said. */
  readonly said: readonly string[];
}

/** The line on standard error that carries a report begins so. */
export const reportMark = 'lifeboat:report ';

/** What an archive holds, by kind; the last line of the list of its entries. */
export interface EntryTotals {
  readonly entries: number;
  /** How many of them are in the list; fewer when it would be longer than can be handed over. */
  readonly listed: number;
  readonly files: number;
  readonly folders: number;
  readonly links: number;
  readonly others: number;
  readonly devices: number;
  readonly bytes: number;
}

/** How far a restore has come in a folder. */
export type WorkState =
  /** Nothing of it is there. */
  | 'none'
  /** The new tree waits beside the live one. */
  | 'staged'
  /** Names are being switched. */
  | 'moving'
  /** All names were switched; the old tree waits to be removed. */
  | 'moved';

export interface UnpackRequest {
  /** The folder that is restored, where it is in the helper. */
  readonly at: string;
  readonly suffix: string;
  /** The size of the archive: what is needed at most, and what may come at most. */
  readonly bytes: number;
}

/** What was unpacked and found equal to the archive. */
export interface Unpacked {
  readonly totals: EntryTotals;
  /** Of the list of entries, without its totals. */
  readonly listSha256: string;
}

export interface SwitchRequest {
  readonly at: string;
  readonly suffix: string;
  /** Of the backup: what they leave out stays as it is. */
  readonly rules: TreeRules;
}

export interface LookAnswer {
  /** The version of GNU tar. */
  readonly tar: string;
  /** In the order in which they were asked for. */
  readonly looks: readonly FolderLook[];
}
