import { matchesPath } from './path-glob.ts';

/** What of a folder belongs to a backup of its files. Kept with the backup: a restore leaves alone what the rules leave out. */
export interface TreeRules {
  /** Where the folder is in the container, for patterns that begin with a slash. */
  readonly folder: string;
  /** Only files that match one of these, or lie in a folder that does; empty means all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Paths in the folder that are saved by another source. */
  readonly leave: readonly string[];
}

/** Restores work in a folder of such a name inside the folder that they restore. */
export const workPrefix = '.lifeboat-restore-';

/**
 * Whether this path, relative to the folder, is left out; of a folder it means all that is in it. A pattern without a
 * slash is about names at any depth, one that begins with a slash about paths in the container.
 */
export function isLeftOut(path: string, isFolder: boolean, rules: TreeRules): boolean {
  if (path.startsWith(workPrefix)) return true;
  if (rules.leave.includes(path)) return true;
  if (rules.exclude.some((pattern) => matches(path, pattern, rules.folder))) return true;
  if (rules.include.length === 0 || isFolder) return false;
  return !selfAndAbove(path).some((each) => rules.include.some((pattern) => matches(each, pattern, rules.folder)));
}

// --- utils ---

function matches(path: string, pattern: string, folder: string): boolean {
  const clean = pattern.replace(/(?<=.)\/$/, '');
  if (clean.startsWith('/')) return matchesPath(`${folder === '/' ? '' : folder}/${path}`, clean);
  return matchesPath(clean.includes('/') ? path : path.slice(path.lastIndexOf('/') + 1), clean);
}

/** `a/b/c`, `a/b`, `a` */
function selfAndAbove(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, i) => parts.slice(0, parts.length - i).join('/'));
}
