import { posix } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Finished, HelperMount, Shell } from '../../domain/shell.ts';
import type { Location } from '../location.ts';
import { mountCommand } from './bench.ts';
import { fileUri, rightsFor } from './copy.ts';
import { parseTold } from './counting.ts';
import type { FileFacts } from './facts.ts';
import { keptPath, stagedPath } from './file.ts';
import type { Place } from './place.ts';
import { check, count, exitCodes, prelude, room } from './script.ts';
import type { Owner } from './seen.ts';

/** Beside the place it goes to, so that it can be renamed. What killed restores left there goes first. */
const stageScript = `${prelude}${room}${check}${count}
new=$1 bytes=$2 owner=$3 mode=$4 folder_owner=$5 folder_mode=$6 others=$7 mine=$8
folder=\${new%/*}
make() { [ -d "$1" ] || { make "\${1%/*}" && mkdir -- "$1" && own "$1"; }; }
own() { chown -- "$folder_owner" "$1" && chmod -- "$folder_mode" "$1"; }
make "$folder" || fail 74 'the folder cannot be made'
find "$folder" -maxdepth 1 -name "$others" ! -name "$mine" -exec rm -f {} +
[ -n "$(ls -A -- "$folder")" ] || own "$folder" # A new volume: nobody has used it yet.
room "$bytes" "$folder"
umask 077
cat >"$new" || fail 73 'the copy could not be written'
size=$(stat -c %s -- "$new")
[ "$size" -eq "$bytes" ] || fail 65 "$size of $bytes bytes came"
chown -- "$owner" "$new" && chmod -- "$mode" "$new" && sync -- "$new" || fail 74 'the copy could not be given to its owner'
check "$new"
count "$new" rows`;

/**
 * First SQLite itself brings what is in the log into the present database. Then one rename takes it away, and whoever is
 * killed in between leaves a whole database, the old one or the new one. Only a database too damaged to be opened has
 * its log moved aside before the rename.
 */
const switchScript = `${prelude}db=$1 uri=$2 new=$3 prev=$4 none=$5 name=$6
[ -s "$new" ] || fail 66 'the staged copy is gone'
if [ -e "$db" ]; then
  if [ -e "$db-wal" ] || [ -e "$db-shm" ] || [ -s "$db-journal" ]; then
    if sqlite3 -batch -bail -safe "$uri" '.timeout 5000' 'PRAGMA wal_checkpoint(TRUNCATE)' 'SELECT count(*) FROM sqlite_master' >/dev/null 2>&1
    then [ ! -e "$db-wal" ] && [ ! -e "$db-shm" ] || fail 75 "another container or process has $name open"; fi
  fi
  ln -T -- "$db" "$prev" 2>/dev/null || cp -p --reflink=auto -T -- "$db" "$prev" || fail 73 "the present $name could not be kept"
else
  true >"$none" || fail 73 "a note could not be left beside $name"
fi
for side in -wal -shm -journal; do
  [ ! -e "$db$side" ] || mv -T -- "$db$side" "$prev$side" || fail 74 "$name$side could not be moved"
done
mv -T -- "$new" "$db" || fail 74 "$name could not be replaced"
sync -- "$db" "\${db%/*}"`;

/** Doing it twice does no harm. */
const putBackScript = `${prelude}db=$1 new=$2 prev=$3 none=$4
if [ -e "$prev" ]; then
  rm -f -- "$db-wal" "$db-shm" "$db-journal"
  for side in -wal -shm -journal; do [ ! -e "$prev$side" ] || mv -T -- "$prev$side" "$db$side" || exit 74; done
  if [ "$prev" -ef "$db" ]; then rm -f -- "$prev"; else mv -T -- "$prev" "$db"; fi || exit 74
elif [ -e "$none" ]; then
  rm -f -- "$db" "$db-wal" "$db-shm" "$db-journal"
fi
rm -f -- "$new" "$none"
sync -- "\${db%/*}"`;

/** As its owner and with nothing more: what he cannot open here, the app cannot either. */
const openScript = `${prelude}sqlite3 -batch -bail -safe -list "$1" 'PRAGMA schema_version' 'SELECT count(*) FROM sqlite_master' >/dev/null || exit 74
stat -c '%u:%g %a' -- "$2"`;

const discardScript = `rm -f -- "$1" "$1-wal" "$1-shm" "$1-journal" "$2"`;

const besideScript = `${prelude}ln -T -- "$1" "$2" && rm -f -- "$1" && sync -- "\${2%/*}"`;

const mountPoint = '/target';
const restoreRights = { user: '0', capabilities: ['CHOWN', 'FOWNER', 'DAC_OVERRIDE'] };

/** A database in a volume or bind mount, which a helper of ours mounts as well. */
export function mountPlace(
  shell: Shell,
  location: Extract<Location, { kind: 'mount' }>,
  path: string,
  facts: FileFacts,
  suffix: string,
): Place {
  const db = posix.join(mountPoint, location.inside);
  const [staged, kept] = [stagedPath(db, suffix), keptPath(db, suffix)];
  /** Says that there was no database before. */
  const none = `${kept}-none`;
  const mount: HelperMount = { mount: location.mount, target: mountPoint, readOnly: false };
  const folder = facts.folder ?? { ...facts.owner, mode: 0o755 };
  let hasKept = false;

  async function run(script: string, args: readonly string[], what: string, signal?: AbortSignal): Promise<Finished> {
    const finished = await shell.run(mountCommand(script, args, mount, restoreRights), undefined, signal);
    if (finished.exitCode === 0) return finished;
    throw failed(what, finished);
  }

  return {
    path,
    stage: async (open, bytes, signal) => {
      const [others, mine] = ['.lifeboat-new-*', `.lifeboat-new-${suffix}-*`];
      const args = [staged, String(bytes), ...ownerArgs(facts.owner), ...ownerArgs(folder), others, mine];
      const command = mountCommand(stageScript, args, mount, restoreRights);
      const finished = await shell.run(command, await open(), signal);
      if (finished.exitCode === 0) return parseTold(finished.stdout);
      throw failed(`the copy for ${path} could not be staged`, finished);
    },
    putBeside: async (signal) => {
      await run(besideScript, [staged, db], `${path} could not be made`, signal);
    },
    switchOver: async (signal) => {
      await run(switchScript, [db, fileUri(db), staged, kept, none, path], `${path} could not be replaced`, signal);
      const { exitCode } = await shell.run(
        mountCommand('test -e "$1"', [kept], mount, restoreRights),
        undefined,
        signal,
      );
      hasKept = exitCode === 0;
    },
    verify: async (signal) => {
      const command = mountCommand(openScript, [fileUri(db), db], mount, rightsFor({ owner: facts.owner, folder }));
      const finished = await shell.run(command, undefined, signal);
      if (finished.exitCode !== 0) throw failed(`${path} cannot be opened by its owner`, finished);
      return `owner and mode ${finished.stdout.trim()}`;
    },
    putBack: async () => {
      await run(
        putBackScript,
        [db, staged, kept, none],
        `${path} could not be put back; it is kept as ${keptPath(path, suffix)}`,
      );
    },
    discard: async () => {
      await run(discardScript, [staged, none], `the staged copy of ${path} could not be removed`);
    },
    isStaged: async () => {
      const look = mountCommand('test -e "$1"', [staged], mount, restoreRights);
      return (await shell.run(look)).exitCode === 0;
    },
    kept: () => (hasKept ? keptPath(path, suffix) : undefined),
  };
}

function ownerArgs({ uid, gid, mode }: Owner): readonly [string, string] {
  return [`${uid}:${gid}`, mode.toString(8).padStart(4, '0')];
}

function failed(what: string, { exitCode, stderr }: Finished): LifeboatError {
  const said = stderr.trim().split('\n').slice(-3).join(' | ') || `exit code ${exitCode}`;
  const hint =
    exitCode === exitCodes.busy ? 'stop the other containers that use this volume and restore again' : undefined;
  return new LifeboatError('RESTORE_FAILED', `${what}: ${said}`, { hint });
}
