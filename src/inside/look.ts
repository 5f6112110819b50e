import { execFileSync } from 'node:child_process';
import { lstatSync, statfsSync } from 'node:fs';
import type { FolderLook, LookAnswer, LookRequest } from '../domain/tree-report.ts';
import { toBytes, toText } from './bytes.ts';
import { rootOf, walk } from './walk.ts';

/** How many names of a kind are told; the number tells the rest. */
const namesTold = 20;

/** What lies in each folder, for the plan and for the preflight. */
export async function look(folders: readonly LookRequest[]): Promise<LookAnswer> {
  const looks: FolderLook[] = [];
  for (const folder of folders) looks.push(await lookAt(folder));
  const tar = /\d+\.\d+\S*/.exec(execFileSync('tar', ['--version'], { encoding: 'utf8' }))?.[0] ?? 'unknown';
  return { tar, looks };
}

async function lookAt({ at, rules }: LookRequest): Promise<FolderLook> {
  const root = rootOf(at);
  const stats = lstatSync(toBytes(root), { throwIfNoEntry: false });
  if (!stats?.isDirectory()) {
    return { kind: stats ? 'other' : 'missing', bytes: 0, freeBytes: 0, sockets: 0, mounts: [] };
  }
  let bytes = 0;
  let sockets = 0;
  const mounts: string[] = [];
  await walk(root, rules, {
    onFound: (_path, stats) => {
      if (!stats.isFile()) return;
      // A hole takes no room, here or in the archive.
      bytes += Math.min(Number(stats.size), Number(stats.blocks) * 512);
    },
    onSocket: () => {
      sockets += 1;
    },
    onMount: (path) => {
      if (mounts.length < namesTold) mounts.push(toText(path));
    },
  });
  const { bavail, bsize } = statfsSync(toBytes(root));
  return { kind: 'folder', bytes, freeBytes: bavail * bsize, sockets, mounts };
}
