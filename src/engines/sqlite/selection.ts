import { posix } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import { isWithin, locate, searchable } from '../location.ts';
import { assertDatabase, type DatabaseFile, isOwnFile, sideSuffixes } from './file.ts';
import { look, type View } from './look.ts';
import type { SqliteOptions } from './options.ts';
import type { Seen } from './seen.ts';
import type { Look } from './sight.ts';

export interface Selection {
  readonly files: readonly DatabaseFile[];
  readonly left: readonly { readonly name: string; readonly why: string }[];
  readonly warnings: readonly string[];
  readonly view: View;
}

/** The databases that the options name, or those found where the app may write. */
export async function select(shell: Shell, options: SqliteOptions, signal: AbortSignal): Promise<Selection> {
  return options.files ? named(shell, options.files, options, signal) : found(shell, options, signal);
}

/** Names that say "database": one of these that is none is worth a word. */
const speakingName = /\.(db3?|sqlite3?|s3db|sl3)$/;

async function found(shell: Shell, options: SqliteOptions, signal: AbortSignal): Promise<Selection> {
  const mounts = searchable(shell.container);
  if (mounts.length === 0) {
    const view: View = { seen: [], late: [], unreachable: [], hasHelper: false, tool: undefined };
    return { files: [], left: [{ name: 'SQLite', why: 'no writable volume to look in' }], warnings: [], view };
  }
  const view = await look(
    shell,
    mounts.map(({ target }) => ({ what: 'likely', path: target })),
    signal,
  );
  const speaking = view.seen.filter(
    ({ kind, path, header, walBytes }) =>
      kind === 'file' && !isOwnFile(path) && (header || walBytes > 0 || speakingName.test(path)),
  );
  const selection = without(shell, speaking, options.exclude, view);
  if (selection.files.length > 0) return selection;
  const where = mounts.map(({ target }) => target).join(', ');
  return { ...selection, left: [{ name: 'SQLite', why: `no SQLite file found in ${where}` }, ...selection.left] };
}

async function named(
  shell: Shell,
  patterns: readonly string[],
  options: SqliteOptions,
  signal: AbortSignal,
): Promise<Selection> {
  const globs = patterns.filter(isPattern);
  const paths = patterns.filter((pattern) => !isPattern(pattern)).map((path) => posix.normalize(path));
  const wanted: Look[] = [
    ...paths.map((path) => ({ what: 'file' as const, path })),
    ...globs.flatMap((glob) => rootsOf(shell, glob)).map((path) => ({ what: 'all' as const, path })),
  ];
  const view = await look(shell, wanted, signal);
  const [problem] = view.unreachable;
  if (problem)
    throw new LifeboatError('SOURCE_NOT_FOUND', `${problem.path}: ${problem.why}`, {
      hint: 'name files and patterns that exist in the container with lifeboat.sqlite',
    });
  for (const path of paths) assertDatabase(view.seen.find((seen) => seen.path === path) ?? missing(path));

  const matches = (pattern: string, path: string) => posix.matchesGlob(path, pattern);
  const bySide = new Set(view.seen.flatMap(({ path }) => sideSuffixes.map((suffix) => `${path}${suffix}`)));
  const candidates = view.seen.filter(
    ({ path }) =>
      paths.includes(path) || (globs.some((glob) => matches(glob, path)) && !isOwnFile(path) && !bySide.has(path)),
  );
  for (const glob of globs) {
    if (candidates.some(({ path, header }) => header && matches(glob, path))) continue;
    throw new LifeboatError('SOURCE_NOT_FOUND', `no SQLite database matches ${glob}`, {
      hint: 'lifeboat.sqlite names paths inside the container; * does not match a / or a leading dot',
    });
  }
  return without(shell, candidates, options.exclude, view);
}

/** The databases among the candidates; what is no database, or is not wanted, is left with the reason. */
function without(
  shell: Shell,
  candidates: readonly Seen[],
  exclude: readonly string[] | undefined,
  view: View,
): Selection {
  const reasons = [...candidates]
    .sort((a, b) => a.path.localeCompare(b.path))
    .map((seen) => ({ seen, why: reasonToLeave(seen, exclude) }));
  const files = reasons
    .filter(({ why }) => why === undefined)
    .map(({ seen }) => ({ ...seen, location: locate(shell.container, seen.path) }));
  const left = reasons.flatMap(({ seen, why }) => (why === undefined ? [] : [{ name: seen.path, why }]));
  const warnings = view.late.map(
    (folder) =>
      `the search for SQLite files in ${folder} took too long and was given up; name them with lifeboat.sqlite`,
  );
  return { files, left, warnings, view };
}

function reasonToLeave(seen: Seen, exclude: readonly string[] | undefined): string | undefined {
  if (exclude?.some((pattern) => posix.matchesGlob(seen.path, pattern))) return 'named in lifeboat.sqlite.exclude';
  // A log beside it gives away a database whose beginning is damaged: nobody may take that for none.
  if (seen.walBytes > 0) assertDatabase(seen);
  if (!seen.header) return 'not a SQLite database';
  return seen.path.includes('\uFFFD') ? 'its name is not UTF-8' : undefined;
}

/** Folders that together hold all that a pattern can match: the one before its first wildcard, and mounts below that. */
function rootsOf(shell: Shell, glob: string): readonly string[] {
  const segments = glob.split('/');
  const root = posix.normalize(segments.slice(0, segments.findIndex(isPattern)).join('/') || '/');
  const below = searchable(shell.container).map(({ target }) => target);
  return [root, ...below.filter((target) => target !== root && isWithin(target, root))];
}

/** Whether a path of the options stands for others. */
export function isPattern(path: string): boolean {
  return /[*?[\]{}]/.test(path);
}

function missing(path: string): Seen {
  const owner = { uid: 0, gid: 0, mode: 0 };
  return {
    path,
    kind: 'missing',
    bytes: 0,
    walBytes: 0,
    owner,
    folder: undefined,
    fileSystem: undefined,
    header: undefined,
  };
}
