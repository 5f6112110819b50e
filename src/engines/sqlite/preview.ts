import type { Manifest } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import { chosenDatabases } from '../chosen.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { locate } from './location.ts';
import { look } from './look.ts';
import { destinationOf } from './restore.ts';

export async function preview(
  shell: Shell,
  manifest: Manifest,
  target: RestoreTarget,
  signal: AbortSignal,
): Promise<RestorePreview> {
  const chosen = chosenDatabases(manifest, target);
  const paths = chosen.map((artifact) => destinationOf(artifact, target));
  const { seen } = await look(
    shell,
    paths.map((path) => ({ what: 'file', path })),
    signal,
  );
  const kindOf = (path: string) => seen.find((entry) => entry.path === path)?.kind ?? 'missing';
  const lines = paths.map((path) =>
    kindOf(path) === 'missing' ? `make ${path}` : `replace ${path} (the present one is kept beside it)`,
  );
  if (target.as === undefined)
    lines.push(`stop ${shell.container.service} while the files are switched, and start it again`);
  const refusals = paths.flatMap((path) => refusalsOf(shell, path, kindOf(path), target));
  return { lines, refusals, warnings: [], replaces: target.as === undefined ? paths : [] };
}

function refusalsOf(shell: Shell, path: string, kind: string, target: RestoreTarget): string[] {
  const location = locate(shell.container, path);
  if (target.as !== undefined && kind !== 'missing') return [`${path} exists already`];
  if (kind === 'link') return [`${path} is a symbolic link now`];
  if (kind === 'other') return [`${path} is no regular file now`];
  if (location.kind === 'mount' && location.mount.readOnly)
    return [`${path} is on a mount that the service may only read`];
  if (location.kind === 'within' && location.why === 'mounted as a single file') {
    return [
      `${path} is mounted as a single file, which cannot be replaced while it is mounted; mount its folder instead`,
    ];
  }
  return [];
}
