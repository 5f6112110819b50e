import type { Command } from '../../domain/shell.ts';
import { headerBytes, parseHeader } from './header.ts';
import { prelude } from './script.ts';
import type { Owner, Seen } from './seen.ts';

/** What to look for in a container. */
export type Look =
  /** This file, whatever it is. */
  | { readonly what: 'file'; readonly path: string }
  /** Every regular file below a folder, or only those that are likely to be databases by their names. */
  | { readonly what: 'all' | 'likely'; readonly path: string };

/** What one look gave. */
export interface Sight {
  readonly seen: readonly Seen[];
  /** Folders whose search ran out of time. */
  readonly late: readonly string[];
  /** Paths that could not be looked at, and why. */
  readonly unreachable: readonly { readonly path: string; readonly why: string }[];
  /** Version of sqlite3 where it was looked. */
  readonly tool: string | undefined;
}

export const nothing: Sight = { seen: [], late: [], unreachable: [], tool: undefined };

const searchSeconds = 30;
const shallowSeconds = 10;
const searchDepth = 8;

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

export function lookCommand(wanted: readonly Look[]): Command {
  const env = { REPORT: report, LC_ALL: 'C', HOME: '/nonexistent' };
  return { argv: ['sh', '-c', lookScript, 'sh', ...wanted.map(({ what, path }) => `${what}:${path}`)], env, user: '0' };
}

const fieldsPerRecord = 7;

/** `toContainer` gives undefined for what the app does not see. */
export function parseSight(printed: string, toContainer: (path: string) => string | undefined): Sight {
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
