import { posix } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import { assertDatabase, type DatabaseFile, isOwnFile, sideSuffixes } from './file.ts';
import { isWithin, locate, searchable } from './location.ts';
import { type Look, look, type View } from './look.ts';
import type { SqliteOptions } from './options.ts';
import type { Seen } from './seen.ts';

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
  const databases = view.seen.filter(({ kind, header, path }) => kind === 'file' && header && !isOwnFile(path));
  const selection = without(shell, databases, options.exclude, view);
  if (selection.files.length > 0 || selection.left.length > 0) return selection;
  const where = mounts.map(({ target }) => target).join(', ');
  return { ...selection, left: [{ name: 'SQLite', why: `no SQLite file found in ${where}` }] };
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
  if (problem) throw new LifeboatError('SOURCE_NOT_FOUND', `${problem.path}: ${problem.why}`);
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
  const [databases, others] = [candidates.filter(({ header }) => header), candidates.filter(({ header }) => !header)];
  const selection = without(shell, databases, options.exclude, view);
  const left = others.map(({ path }) => ({ name: path, why: 'not a SQLite database' }));
  return { ...selection, left: [...selection.left, ...left] };
}

function without(
  shell: Shell,
  databases: readonly Seen[],
  exclude: readonly string[] | undefined,
  view: View,
): Selection {
  const isExcluded = ({ path }: Seen) => exclude?.some((pattern) => posix.matchesGlob(path, pattern)) ?? false;
  const isUnreadable = ({ path }: Seen) => path.includes('\uFFFD');
  const left = databases
    .filter((seen) => isExcluded(seen) || isUnreadable(seen))
    .map((seen) => ({
      name: seen.path,
      why: isExcluded(seen) ? 'named in lifeboat.sqlite.exclude' : 'its name is not UTF-8',
    }));
  const files = databases
    .filter((seen) => !isExcluded(seen) && !isUnreadable(seen))
    .map((seen) => ({ ...seen, location: locate(shell.container, seen.path) }))
    .sort((a, b) => a.path.localeCompare(b.path));
  const warnings = view.late.map(
    (folder) =>
      `the search for SQLite files in ${folder} took too long and was given up; name them with lifeboat.sqlite`,
  );
  return { files, left, warnings, view };
}

/** Folders that together hold all that a pattern can match: the one before its first wildcard, and mounts below that. */
function rootsOf(shell: Shell, glob: string): readonly string[] {
  const segments = glob.split('/');
  const root = posix.normalize(segments.slice(0, segments.findIndex(isPattern)).join('/') || '/');
  const below = searchable(shell.container).map(({ target }) => target);
  return [root, ...below.filter((target) => target !== root && isWithin(target, root))];
}

function isPattern(path: string): boolean {
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
