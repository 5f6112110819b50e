import { posix } from 'node:path';
import type { Command } from '../../domain/shell.ts';
import { mountCommand, scratchFor, scriptCommand } from './bench.ts';
import type { DatabaseFile } from './file.ts';
import { nodeProgram, pythonProgram } from './programs.ts';
import { count, room, scratch } from './script.ts';
import type { ToolName } from './tools.ts';

/**
 * A copy of a database that is being written, on standard output. `.backup` inside an open read transaction copies every
 * page as that transaction sees it, the log included. Alone it would copy a hundred pages at a time and start again
 * whenever the app writes, which never ends beside a busy one (measured: 50 rows a second, 400 MB, no end after 30 s;
 * inside a transaction 1.3 s). VACUUM INTO would change the journal mode, the page layout and, without an INTEGER PRIMARY
 * KEY, row ids.
 *
 * Readers block the writers of a database that is not in WAL mode, so there the transaction has a time limit; beyond it
 * the copy is tried in steps, which let writers in between.
 */
const copyScript = `${scratch}${room}safe=
${count}
file=$1 uri=$2 name=$3 counts=$4 limit=$5 backup=$6
[ -f "$file" ] || fail 66 "$name does not exist any more; nothing was made in its place"
size=$(stat -c %s -- "$file"); [ "$size" -gt 0 ] || fail 66 "$name is empty"
log=$(stat -c %s -- "$file-wal" 2>/dev/null) || log=0
room $(( size + log )) .
take() {
  "$@" sqlite3 -batch -bail -list "$uri" '.timeout 30000' BEGIN 'SELECT count(*) FROM sqlite_master' 'PRAGMA page_count' \\
    "$backup copy" >told 2>error </dev/null
}
if [ $(( $(od -An -tu1 -j18 -N1 -- "$file") )) -eq 2 ]; then take; else take timeout "$limit"; fi; rc=$?
if [ "$rc" -eq 124 ] || [ "$rc" -eq 143 ]; then
  rm -f copy copy-journal
  timeout 600 sqlite3 -batch -bail -list "$uri" '.timeout 30000' 'PRAGMA page_count' "$backup copy" >told 2>error </dev/null; rc=$?
  [ "$rc" -ne 124 ] || fail 75 "$name is written too often to be copied in steps; try lifeboat.sqlite.method: pause"
  : >told
fi
if [ "$rc" -ne 0 ]; then
  case $(cat error) in *locked*) fail 75 "$name is locked by the app; try lifeboat.sqlite.method: pause" ;; esac
  fail 74 "$name cannot be copied: $(head -n 1 error)"
fi
pages=$(sqlite3 -batch -bail -list copy 'PRAGMA page_count') || fail 74 "the copy of $name cannot be read"
[ ! -s told ] || [ "$pages" = "$(tail -n 1 told)" ] || fail 74 "the copy of $name has $pages of $(tail -n 1 told) pages"
count copy "$counts" >&2 &
cat copy; rc=$?
wait
exit "$rc"`;

/** How long the writers of a database without WAL may have to wait. */
const blockingSeconds = '60';

/** Nobody needs the copy after a crash, so it need not be synced; tools of a container may be too old to know that. */
const backup = { own: '.backup --async', any: '.backup' } as const;

const mountPoint = '/source';

/** In a helper, as the owner of the file: the log and its index that SQLite makes beside it then stay the app's. */
export function helperCopy(file: DatabaseFile, rows: boolean): Command {
  const { location, path, bytes, walBytes } = file;
  if (location.kind !== 'mount') throw new Error(`${path} is in no mount`);
  const inHelper = posix.join(mountPoint, location.inside);
  return mountCommand(
    copyScript,
    [inHelper, fileUri(inHelper), path, rows ? 'rows' : 'objects', blockingSeconds, backup.own],
    { mount: location.mount, target: mountPoint, readOnly: false },
    { ...rightsFor(file), scratchBytes: scratchFor(bytes + walBytes) },
  );
}

/** In the container itself, with what it has. */
export function toolCopy(file: DatabaseFile, tool: ToolName, rows: boolean): Command {
  const { path, owner } = file;
  const uri = fileUri(path);
  const counts = rows ? 'rows' : 'objects';
  const user = `${owner.uid}:${owner.gid}`;
  if (tool === 'sqlite3')
    return { ...scriptCommand(copyScript, [path, uri, path, counts, blockingSeconds, backup.any]), user };
  if (tool === 'python3') return { argv: ['python3', '-c', pythonProgram, uri, counts], user };
  return { argv: ['node', '--no-warnings', '-e', nodeProgram, uri, counts], user };
}

/** `mode=rw`: SQLite makes no database where there is none, and reads the log as well. */
export function fileUri(path: string): string {
  return `file:${path.split('/').map(encodeURIComponent).join('/')}?mode=rw`;
}

/**
 * The owner of the file without any capability, if he may make files beside it; else root, for whom SQLite gives the
 * files it makes to the owner of the database.
 */
export function rightsFor({ owner, folder }: Pick<DatabaseFile, 'owner' | 'folder'>): {
  readonly user: string;
  readonly capabilities: readonly string[];
} {
  const mayUse = (owner.mode & 0o600) === 0o600;
  const mayMake =
    folder !== undefined &&
    (((folder.mode & 0o300) === 0o300 && folder.uid === owner.uid) ||
      ((folder.mode & 0o030) === 0o030 && folder.gid === owner.gid) ||
      (folder.mode & 0o003) === 0o003);
  if (mayUse && mayMake) return { user: `${owner.uid}:${owner.gid}`, capabilities: [] };
  return { user: '0', capabilities: ['DAC_OVERRIDE', 'CHOWN'] };
}
