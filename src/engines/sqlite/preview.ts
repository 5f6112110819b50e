import type { Manifest } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import { chosenDatabases } from '../chosen.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { locate } from '../location.ts';
import { look } from './look.ts';
import type { SqliteOptions } from './options.ts';
import { destinationOf } from './restore.ts';
import type { Seen } from './seen.ts';
import { isPattern } from './selection.ts';

export async function preview(
  shell: Shell,
  manifest: Manifest,
  target: RestoreTarget,
  options: SqliteOptions,
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
  const present = paths.filter((path) => kindOf(path) !== 'missing');
  // The search takes what is damaged at its beginning for no database, and says nothing of it; a name insists.
  const isSaved = ({ path, header, walBytes }: Seen) =>
    present.includes(path) && (options.files !== undefined || header !== undefined || walBytes > 0);
  return {
    ...{ lines, refusals, warnings: [], replaces: target.as === undefined ? paths : [] },
    saving: saving(
      options,
      seen.filter(isSaved).map(({ path }) => path),
    ),
  };
}

/** Options under which a backup holds these files, whatever today's leave out; undefined when it is about none. */
function saving(options: SqliteOptions, paths: readonly string[]): SqliteOptions | undefined {
  if (paths.length === 0) return undefined;
  return { ...options, files: paths.map(asPattern), exclude: [] };
}

/** What would mean something in a pattern becomes any character: more is saved then, not less. */
function asPattern(path: string): string {
  return isPattern(path) ? path.replace(/[*?[\]{}()!+@|\\]/g, '?') : path;
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
