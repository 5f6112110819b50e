import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, relative } from 'node:path/posix';
import type { SwitchRequest } from '../domain/tree-report.ts';
import { isLeftOut } from '../domain/tree-rules.ts';
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
  const carried: Name[] = [];
  await walk(root, rules, {
    onFound: () => {},
    // Of the folder's own entries those simply stay where they are.
    onLeftOut: (path) => void (path.includes('/') && carried.push(path)),
  });
  const freshParents = new Set<Name>(['']);
  const formerParents = new Set<Name>(['']);
  for (const path of carried) {
    const parent = dirname(path);
    makeLike(root, `${root}/${fresh}`, parent);
    freshParents.add(parent);
    formerParents.add(parent);
  }
  const topNames = (folder: string, path: Name) =>
    readdirSync(folder, { encoding: 'buffer', withFileTypes: true })
      .filter((entry) => path !== '' || !isLeftOut(toText(fromBytes(entry.name)), entry.isDirectory(), rules))
      .map(({ name }) => fromBytes(name));
  const moves: Move[] = [
    ...carried.map((path): Move => [path, `${fresh}/${path}`]),
    ...topNames(at, '').map((name): Move => [name, `${former}/${name}`]),
    ...topNames(work.fresh, fresh).map((name): Move => [`${fresh}/${name}`, name]),
  ];
  saveFolders(work.fresh, freshParents, work.freshFolders);
  saveFolders(at, formerParents, work.formerFolders);
  mkdirSync(work.former, { mode: 0o700, recursive: true });
  writeNote(work.moves, JSON.stringify(moves));
  call('sync', ['-f', work.folder]);
  for (const [from, to] of moves) {
    if (isThere(root, to)) throw new Refusal(exitCodes.failed, `${toText(to)} came to be meanwhile`);
    renameSync(toBytes(`${root}/${from}`), toBytes(`${root}/${to}`));
  }
  call('tar', extractArguments(at, work.freshFolders));
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

function isThere(root: Name, path: Name): boolean {
  return lstatSync(toBytes(`${root}/${path}`), { throwIfNoEntry: false }) !== undefined;
}

/** Makes a folder, and those above it, with the owners and modes of another tree, unless it is there. */
function makeLike(model: Name, root: Name, path: Name): void {
  if (path === '.' || isThere(root, path)) return;
  makeLike(model, root, dirname(path));
  const { uid, gid, mode } = lstatSync(toBytes(`${model}/${path}`));
  const made = toBytes(`${root}/${path}`);
  mkdirSync(made);
  lchownSync(made, uid, gid);
  chmodSync(made, mode & 0o7777);
}

function saveFolders(root: string, folders: ReadonlySet<Name>, file: string): void {
  call('tar', createArguments(root, file), Buffer.concat([...folders].map((path) => toBytes(`./${path}\0`))));
}
