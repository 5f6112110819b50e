import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { relative } from 'node:path/posix';
import type { SwitchRequest } from '../domain/tree-report.ts';
import { isLeftOut, type TreeRules } from '../domain/tree-rules.ts';
import { fromBytes, fromText, type Name, toBytes, toText } from './bytes.ts';
import { exitCodes, Refusal } from './refusal.ts';
import { createArguments, extractArguments } from './tar.ts';
import { walk } from './walk.ts';
import { call, type Work, workIn, writeNote } from './work.ts';

/** A rename within the folder that is restored; both paths are relative to it. */
type Move = readonly [from: Name, to: Name];

/**
 * Puts the staged tree in the place of the live one, name by name. What the rules of the backup leave out is carried over.
 * All renames are written down first: whoever is killed in between leaves what `putBack` needs.
 */
export async function switchOver({ at, suffix, rules }: SwitchRequest): Promise<void> {
  const work = workIn(at, suffix);
  if (!existsSync(work.fresh)) throw new Refusal(exitCodes.failed, 'the staged tree is gone');
  const own = (path: string) => fromText(relative(at, path));
  const [fresh, former] = [own(work.fresh), own(work.former)];
  const root = fromText(at);
  const elsewhere = new Set(savedElsewhere(rules, (path) => isThere(root, path)));
  const isFresh = (path: Name) => !elsewhere.has(path) && isThere(`${root}/${fresh}`, path);
  const carried: Name[] = [];
  await walk(root, rules, {
    onFound: () => {},
    // Of the folder's own entries those simply stay where they are. What the backup holds all the same takes their place.
    onLeftOut: (path) => void (path.includes('/') && !isFresh(path) && carried.push(path)),
  });
  // What is carried over changes the times of its folders, and some are new in the fresh tree.
  const parents = new Set<Name>(['', ...[...carried, ...elsewhere].flatMap(foldersAbove)]);
  const made = [...parents].filter((path) => !isFresh(path));
  saveFolders(at, parents, work.formerFolders);
  saveFolders(at, made, work.madeFolders);
  saveFolders(
    work.fresh,
    [...parents].filter((path) => !made.includes(path)),
    work.freshFolders,
  );
  for (const path of elsewhere) rmSync(toBytes(`${root}/${fresh}/${path}`), { force: true, recursive: true });
  for (const path of made.sort()) mkdirSync(toBytes(`${root}/${fresh}/${path}`));
  const live = entriesOf(at).filter(({ name, isFolder }) => isFresh(name) || !isLeftOut(toText(name), isFolder, rules));
  const moves: Move[] = [
    ...carried.map((path): Move => [path, `${fresh}/${path}`]),
    ...live.map(({ name }): Move => [name, `${former}/${name}`]),
    ...entriesOf(work.fresh).map(({ name }): Move => [`${fresh}/${name}`, name]),
  ];
  mkdirSync(work.former, { mode: 0o700, recursive: true });
  writeNote(work.moves, JSON.stringify(moves));
  call('sync', ['-f', work.folder]);
  for (const [from, to] of moves) {
    if (isThere(root, to)) throw new Refusal(exitCodes.failed, `${toText(to)} came to be meanwhile`);
    renameSync(toBytes(`${root}/${from}`), toBytes(`${root}/${to}`));
  }
  for (const saved of [work.madeFolders, work.freshFolders]) call('tar', extractArguments(at, saved));
  call('sync', ['-f', at]);
  writeNote(work.moved, '');
}

/** Undoes as much of the switch as was done, in the opposite order. Doing it twice does no harm. */
export function putBack(work: Work): void {
  if (!existsSync(work.moves)) return;
  const root = fromText(work.root);
  const moves = JSON.parse(readFileSync(work.moves, 'utf8')) as readonly Move[];
  rmSync(work.moved, { force: true });
  for (const [from, to] of moves.toReversed()) {
    if (!isThere(root, to) || isThere(root, from)) continue;
    renameSync(toBytes(`${root}/${to}`), toBytes(`${root}/${from}`));
  }
  call('tar', extractArguments(work.root, work.formerFolders));
  call('sync', ['-f', work.root]);
  rmSync(work.moves);
}

// --- utils ---

/**
 * The databases that another source saves and that are there, with what SQLite keeps beside them. A backup may hold some as
 * plain files, from when they were no databases of that source; the safety backup of the files does not hold them.
 */
function savedElsewhere({ leave }: TreeRules, isLive: (path: Name) => boolean): readonly Name[] {
  return leave.map(fromText).filter((path) => isLive(path.replace(/-(?:wal|shm|journal)$/, '')));
}

function isThere(root: Name, path: Name): boolean {
  return lstatSync(toBytes(`${root}/${path}`), { throwIfNoEntry: false }) !== undefined;
}

function entriesOf(folder: string): readonly { readonly name: Name; readonly isFolder: boolean }[] {
  const found = readdirSync(folder, { encoding: 'buffer', withFileTypes: true });
  return found.map((entry) => ({ name: fromBytes(entry.name), isFolder: entry.isDirectory() }));
}

/** `a/b/c` → `a/b`, `a` */
function foldersAbove(path: Name): readonly Name[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

/** Owners, modes, times and attributes alone. */
function saveFolders(root: string, folders: Iterable<Name>, file: string): void {
  call('tar', createArguments(root, file), Buffer.concat([...folders].map((path) => toBytes(`./${path}\0`))));
}
