import { type BigIntStats, lstatSync, readdirSync } from 'node:fs';
import { isLeftOut, type TreeRules } from '../domain/tree-rules.ts';
import { fromBytes, fromText, type Name, toBytes, toText } from './bytes.ts';

/** What a walk comes across, folders before what is in them. */
export interface Walking {
  /** Something that belongs to the backup. */
  onFound(path: Name, stats: BigIntStats): void | Promise<void>;
  /** Something that the rules leave out; of a folder, all that is in it. */
  onLeftOut?(path: Name, stats: BigIntStats): void;
  /** A socket: it means nothing without the process that listens. */
  onSocket?(path: Name): void;
  /** Another file system is mounted there; what is in it belongs to that mount. */
  onMount?(path: Name): void;
  onUnreadable?(path: Name): void;
}

/** Walks through a folder in the order of the file system; what vanishes meanwhile is not met. */
export async function walk(root: Name, rules: TreeRules, walking: Walking): Promise<void> {
  const top = lstatSync(toBytes(root), { bigint: true });
  await visit('', top);

  async function visit(path: Name, stats: BigIntStats): Promise<void> {
    if (path !== '' && isLeftOut(toText(path), stats.isDirectory(), rules)) return walking.onLeftOut?.(path, stats);
    if (stats.isSocket()) return walking.onSocket?.(path);
    const found = walking.onFound(path, stats);
    if (found) await found;
    if (!stats.isDirectory()) return;
    if (stats.dev !== top.dev) return walking.onMount?.(path);
    for (const name of namesIn(path)) {
      const child = path === '' ? name : `${path}/${name}`;
      const childStats = lstatSync(toBytes(`${root}/${child}`), { bigint: true, throwIfNoEntry: false });
      if (childStats) await visit(child, childStats);
    }
  }

  function namesIn(path: Name): readonly Name[] {
    try {
      return readdirSync(toBytes(`${root}/${path}`), { encoding: 'buffer' }).map(fromBytes);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ENOENT') walking.onUnreadable?.(path);
      return [];
    }
  }
}

/** A path of our own in the alphabet of names. */
export function rootOf(path: string): Name {
  return fromText(path.replace(/(?<=.)\/+$/, ''));
}
