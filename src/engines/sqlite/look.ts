import { posix } from 'node:path';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Command, HelperMount, Shell } from '../../domain/shell.ts';
import type { Mount } from '../../domain/types.ts';
import { isHelperRefusal, mayMakeHelpers } from './bench.ts';
import { headerBytes, parseHeader } from './header.ts';
import { isWithin, locate } from './location.ts';
import { peek } from './peek.ts';
import { prelude } from './script.ts';
import type { Owner, Seen } from './seen.ts';

/** What to look for in a container. */
export type Look =
  /** This file, whatever it is. */
  | { readonly what: 'file'; readonly path: string }
  /** Every regular file below a folder, or only those that are likely to be databases by their names. */
  | { readonly what: 'all' | 'likely'; readonly path: string };

export interface View {
  readonly seen: readonly Seen[];
  /** Folders whose search ran out of time. */
  readonly late: readonly string[];
  /** Paths that could not be looked at, and why. */
  readonly unreachable: readonly { readonly path: string; readonly why: string }[];
  /** Whether helpers of our own image may be made. */
  readonly hasHelper: boolean;
  /** Version of sqlite3 where it was looked. */
  readonly tool: string | undefined;
}

const searchSeconds = 30;
const shallowSeconds = 10;
const searchDepth = 8;

/** Looks from a helper that mounts what the container mounts, read-only, and into the rest from within the container. */
export async function look(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<View> {
  const groups = Map.groupBy(wanted, ({ what, path }) => mountOf(shell, what, path) !== undefined);
  const outside = await lookFromHelper(shell, groups.get(true) ?? [], signal).catch((error: unknown) => {
    if (!isHelperRefusal(error)) throw error;
    return undefined; // Everything is looked at from within.
  });
  const rest = outside ? (groups.get(false) ?? []) : wanted;
  const inside = await lookWithin(shell, rest, signal);
  const views = outside ? [outside, inside] : [inside];
  const hasHelper = outside === nothing ? await mayMakeHelpers(shell, signal) : outside !== undefined;
  return {
    seen: views.flatMap(({ seen }) => seen),
    late: views.flatMap(({ late }) => late),
    unreachable: views.flatMap(({ unreachable }) => unreachable),
    hasHelper,
    tool: views.map(({ tool }) => tool).find((version) => version !== undefined),
  };
}

type Part = Omit<View, 'hasHelper'>;

const nothing: Part = { seen: [], late: [], unreachable: [], tool: undefined };

async function lookFromHelper(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<Part> {
  const mounts = [...new Set(wanted.map(({ what, path }) => mountOf(shell, what, path)))].filter(
    (m) => m !== undefined,
  );
  if (mounts.length === 0) return nothing;
  const targets = new Map(mounts.map((mount, i) => [mount, `/source${i}`]));
  const outside = ({ what, path }: Look): string => {
    const mount = mountOf(shell, what, path);
    return mount ? posix.join(targets.get(mount) ?? '', posix.relative(mount.target, path)) : path;
  };
  const helperMounts: HelperMount[] = mounts.map((mount, i) => ({ mount, target: `/source${i}`, readOnly: true }));
  const printed = await shell.text(
    {
      ...lookCommand(wanted.map((entry) => ({ ...entry, path: outside(entry) }))),
      place: { kind: 'helper', image: 'own', mounts: helperMounts, capabilities: ['DAC_READ_SEARCH'] },
    },
    signal,
  );
  return parse(printed, (path) => {
    const [mount, target = ''] = [...targets].find(([, each]) => isWithin(path, each)) ?? [];
    if (!mount) return undefined;
    const inContainer = posix.join(mount.target, path.slice(target.length));
    // What lies under a nested mount is hidden from the app, though not from the helper.
    const location = locate(shell.container, inContainer);
    return inContainer === mount.target || (location.kind === 'mount' && location.mount === mount)
      ? inContainer
      : undefined;
  });
}

async function lookWithin(shell: Shell, wanted: readonly Look[], signal: AbortSignal): Promise<Part> {
  if (wanted.length === 0) return nothing;
  try {
    return parse(await shell.text(lookCommand(wanted), signal), (path) => posix.normalize(path));
  } catch (error) {
    // Without a shell in it, or while it does not run, named files can still be taken out through the Engine.
    if (!isLifeboatError(error, 'TOOL_MISSING', 'SOURCE_NOT_RUNNING')) throw error;
    const files = wanted.filter(({ what }) => what === 'file');
    const seen: Seen[] = [];
    for (const { path } of files) seen.push(await peek(shell, path, signal));
    const unreachable = wanted
      .filter((entry) => !files.includes(entry))
      .map(({ path }) => ({ path, why: `it cannot be searched (${error.message}); name each file` }));
    return { ...nothing, seen, unreachable };
  }
}

/** The mount through which a helper sees it; for a folder also when it is the mount's own root. */
function mountOf(shell: Shell, what: Look['what'], path: string): Mount | undefined {
  const location = locate(shell.container, what === 'file' ? path : `${path}/x`);
  return location.kind === 'mount' ? location.mount : undefined;
}

// --- the script and its answer ---

/** For each file: path, kind and owner, the folder's owner, the file system, the log's size, the first bytes. */
const report = `for f do
  if [ -f "$f" ] && [ ! -L "$f" ]; then head=$(od -An -v -tu1 -N${headerBytes} -- "$f" 2>/dev/null); else head=; fi
  printf '%s\\0' file "$f" "$(stat -c '%F|%s|%u|%g|%a' -- "$f" 2>/dev/null)" "$(stat -c '%u|%g|%a' -- "\${f%/*}/" 2>/dev/null)" \
    "$(stat -f -c %T -- "\${f%/*}/" 2>/dev/null)" "$(stat -c %s -- "$f-wal" 2>/dev/null)" "$head"
done`;

/** The search is bounded in depth and time; it never leaves the file system it began in. */
const lookScript = `${prelude}export REPORT
search() {
  seconds=$1 folder=$2 depth=$3; shift 3
  timeout "$seconds" find "$folder/" -xdev -maxdepth "$depth" -type f "$@" -exec sh -c "$REPORT" sh {} + 2>/dev/null
  rc=$?; [ "$rc" -ne 124 ] && [ "$rc" -ne 143 ]
}
late() { printf '%s\\0' late "$1" '' '' '' '' ''; }
printf '%s\\0' tool "$(sqlite3 -version 2>/dev/null)" '' '' '' '' ''
for wanted do
  path=\${wanted#*:}
  case $wanted in
  file:*) sh -c "$REPORT" sh "$path" ;;
  all:*) search ${searchSeconds} "$path" ${searchDepth} || late "$path" ;;
  likely:*)
    search ${searchSeconds} "$path" ${searchDepth} \\( -name '*.db' -o -name '*.db3' -o -name '*.sqlite' -o -name '*.sqlite3' \\
      -o -name '*.s3db' -o -name '*.sl3' \\) || late "$path"
    search ${shallowSeconds} "$path" 3 ! -name '*.*' -size +511c || : ;;
  esac
done`;

function lookCommand(wanted: readonly Look[]): Command {
  const env = { REPORT: report, LC_ALL: 'C', HOME: '/nonexistent' };
  return { argv: ['sh', '-c', lookScript, 'sh', ...wanted.map(({ what, path }) => `${what}:${path}`)], env, user: '0' };
}

const fieldsPerRecord = 7;

/** `toContainer` gives undefined for what the app does not see. */
function parse(printed: string, toContainer: (path: string) => string | undefined): Part {
  const fields = printed.split('\0');
  const seen = new Map<string, Seen>();
  const late: string[] = [];
  let tool: string | undefined;
  for (let at = 0; at + fieldsPerRecord < fields.length; at += fieldsPerRecord) {
    const [what, first = '', stat = '', folder = '', fileSystem = '', wal = '', head = ''] = fields.slice(at);
    if (what === 'tool') tool = first.split(' ')[0] || undefined;
    const path = what === 'tool' ? undefined : toContainer(first);
    if (path === undefined) continue;
    if (what === 'late') late.push(path);
    if (what !== 'file') continue;
    const [kind = '', bytes, ...owner] = stat.split('|');
    seen.set(path, {
      path,
      kind: kindOf(kind),
      bytes: Number(bytes ?? 0),
      walBytes: Number(wal),
      owner: toOwner(owner) ?? { uid: 0, gid: 0, mode: 0 },
      folder: toOwner(folder.split('|')),
      fileSystem: fileSystem || undefined,
      header: parseHeader(head.trim().split(/\s+/).map(Number)),
    });
  }
  return { seen: [...seen.values()], late, unreachable: [], tool };
}

function kindOf(stat: string): Seen['kind'] {
  if (stat === '') return 'missing';
  if (stat.startsWith('regular')) return 'file';
  return stat === 'symbolic link' ? 'link' : 'other';
}

function toOwner([uid, gid, mode]: readonly (string | undefined)[]): Owner | undefined {
  if (uid === undefined || gid === undefined || mode === undefined || uid === '') return undefined;
  return { uid: Number(uid), gid: Number(gid), mode: Number.parseInt(mode, 8) };
}
