import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, lstatSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkState } from '../domain/tree-report.ts';
import { workPrefix } from '../domain/tree-rules.ts';
import { exitCodes, Refusal } from './refusal.ts';

/**
 * The folder in which a restore works, inside the folder that it restores, so that everything can be renamed. Which files
 * are in it says how far the restore has come.
 */
export interface Work {
  readonly root: string;
  readonly folder: string;
  /** The new tree. */
  readonly fresh: string;
  /** Where the live tree goes. */
  readonly former: string;
  /** The list of renames, written before the first of them. */
  readonly moves: string;
  /** There when all renames are done. */
  readonly moved: string;
  /** Owners, modes, times and attributes of folders, as archives without content. */
  readonly freshFolders: string;
  readonly formerFolders: string;
  /** Of folders that only what is carried over needs. */
  readonly madeFolders: string;
  /** When the live folder was last changed, before and after ours was made in it. */
  readonly times: string;
}

export function workIn(root: string, suffix: string): Work {
  const folder = join(root, `${workPrefix}${suffix}`);
  const at = (name: string) => join(folder, name);
  return {
    root,
    folder,
    fresh: at('new'),
    former: at('old'),
    moves: at('moves'),
    moved: at('moved'),
    freshFolders: at('new-folders.tar'),
    formerFolders: at('old-folders.tar'),
    madeFolders: at('made-folders.tar'),
    times: at('times'),
  };
}

export function stateOf(work: Work): WorkState {
  if (existsSync(work.moved)) return 'moved';
  if (existsSync(work.moves)) return 'moving';
  return existsSync(work.folder) ? 'staged' : 'none';
}

/** The suffixes of all restores that have such a folder here. */
export function suffixesIn(root: string): readonly string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root).flatMap((name) => (name.startsWith(workPrefix) ? [name.slice(workPrefix.length)] : []));
}

/** Removes all that a restore left. The live folder then looks as if ours had never been in it. */
export function discard(work: Work): void {
  if (!existsSync(work.folder)) return;
  const now = lastChanged(work.root);
  const [before, after] = existsSync(work.times) ? readFileSync(work.times, 'utf8').split('\n') : [];
  call('rm', ['-rf', '--', work.folder]);
  setChanged(work.root, before !== undefined && now === after ? before : now);
}

/** On disk when it returns. */
export function writeNote(path: string, text: string): void {
  const file = openSync(path, 'w', 0o600);
  writeSync(file, text);
  fsyncSync(file);
  closeSync(file);
}

/** Seconds since 1970, with nanoseconds. */
export function lastChanged(path: string): string {
  const { mtimeNs } = lstatSync(path, { bigint: true });
  const seconds = mtimeNs / 1_000_000_000n - (mtimeNs % 1_000_000_000n < 0n ? 1n : 0n);
  return `${seconds}.${String(mtimeNs - seconds * 1_000_000_000n).padStart(9, '0')}`;
}

/** Node's own call takes a number, which has no room for nanoseconds. */
export function setChanged(path: string, time: string): void {
  call('touch', ['-m', '-d', `@${time}`, '--', path]);
}

export function call(program: string, args: readonly string[], input?: Buffer): void {
  const { status, stderr } = spawnSync(program, args, { input, stdio: ['pipe', 'ignore', 'pipe'] });
  if (status === 0) return;
  throw new Refusal(exitCodes.failed, `${program} failed: ${String(stderr).trim().split('\n').slice(-3).join(' | ')}`);
}
