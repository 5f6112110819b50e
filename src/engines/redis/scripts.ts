/**
 * The shell scripts that run inside containers and helpers. They are fixed text: every name is an argument. Builtins and
 * the smallest tools only (`cat`, `mkdir`, `mv`, `rm`, `wc`), as slim images have no more.
 */

/**
 * Prints the RDB that the server sends to a replica. Into a file, because `--rdb -` leaves a mark of 40 bytes behind the
 * data, and because a slow reader of ours would keep the server's child alive. The file has no name any more before
 * anything is in it, so nothing is left behind however this ends.
 * Arguments: another folder to try, the tool with its arguments.
 */
export const transferScript = `umask 077
other=$1; shift
for folder in "\${TMPDIR:-/tmp}" "$other" /dev/shm; do
  file=$folder/.lifeboat-$$.rdb
  { true >"$file"; } 2>/dev/null && break
  file=
done
[ -n "$file" ] || { echo 'no folder of the container can be written to' >&2; exit 73; }
exec 4<>"$file" && rm -f -- "$file" || exit 73
"$@" --rdb /proc/self/fd/4 >&2 || exit $?
cat <&4`;

/** Prints the third argument when the first is a file of as many bytes as the second says. */
export const sameFileScript = `[ "$(wc -c <"$1")" -eq "$2" ] && printf %s "$3"`;

/**
 * Checks the RDB on standard input with the tool of the image; 44 when it has none, after the input was read, so that
 * whoever sends it is not cut off. Through `cat`, because the tool opens /dev/stdin once more, and to open a named pipe whose
 * writer has gone already is to wait for ever.
 */
export const checkScript = `for tool in valkey-check-rdb redis-check-rdb keydb-check-rdb; do
  command -v "$tool" >/dev/null || continue
  cat | "$tool" /dev/stdin
  exit
done
cat >/dev/null
exit 44`;

/** Exit codes of the scripts below, with what they mean to a person. */
export const exitMeanings: Readonly<Record<number, string>> = {
  71: 'the helper does not see the folder that the container sees',
  72: 'there is not enough space beside the data',
  73: 'not all bytes arrived',
  74: 'the server does not load the file',
  75: 'the server could not write its AOF from it',
  76: 'the server did not end well after loading it',
  77: 'the host has not enough free memory to load the copy while the server runs',
};

/** Makes the folder to stage in, and removes those of restores that were killed. Arguments: folder; name to make. */
export const makeFolderScript = `cd -- "$1" && rm -rf -- .lifeboat-new-* && mkdir -m 700 -- "$2"`;

/**
 * Stages a restore: writes the RDB on standard input into a folder, loads it with a server of its own that nobody can
 * reach, prints what that server holds, and has it write an AOF beside the file when one is wanted.
 * Arguments: umask; folder; whether to make it; bytes; KiB of space wanted; KiB of memory wanted; whether an AOF is
 * wanted; whether graphs are to be counted; a word between the parts of the report; the client; the server with its
 * arguments.
 */
export const stageScript = `umask "$1"; folder=$2 make=$3 bytes=$4 space=$5 memory=$6 aof=$7 graphs=$8 mark=$9; shift 9
cli=$1; shift
[ "$make" = no ] || mkdir -p -- "$folder" || exit 72
cd -- "$folder" || exit 71
free=$(df -Pk . 2>/dev/null | { read -r _ && read -r _ _ _ free _ && echo "$free"; })
case $free in '' | *[!0-9]*) ;; *) [ "$free" -ge "$space" ] || exit 72 ;; esac
while read -r name value _; do
  [ "$name" != MemAvailable: ] || [ "$value" -ge "$memory" ] || exit 77
done </proc/meminfo
cat >dump.rdb || exit 72
[ "$(wc -c <dump.rdb)" -eq "$bytes" ] || exit 73
( "$@" >&2 </dev/null; echo $? >/tmp/lifeboat.ended ) &
ask() { "$cli" -s /tmp/lifeboat.sock "$@" 2>/dev/null </dev/null; }
until [ "$(ask PING)" = PONG ]; do
  [ ! -e /tmp/lifeboat.ended ] || exit 74
  sleep 0.2
done
ask INFO
echo "$mark"
ask FUNCTION STATS
echo "$mark"
[ "$graphs" = no ] || ask GRAPH.LIST | while IFS= read -r graph; do
  [ -n "$graph" ] || continue
  printf 'graph %s\n' "$graph"
  ask GRAPH.RO_QUERY "$graph" 'MATCH (n) RETURN count(n)'
  ask GRAPH.RO_QUERY "$graph" 'MATCH ()-[e]->() RETURN count(e)'
done
if [ "$aof" = yes ]; then
  [ "$(ask CONFIG SET appendonly yes)" = OK ] || exit 75
  while :; do
    case $(ask INFO persistence) in
      *aof_last_bgrewrite_status:err*) exit 75 ;;
      *aof_rewrite_in_progress:1* | *aof_rewrite_scheduled:1*) ;;
      *aof_enabled:1*) break ;;
      *) exit 75 ;;
    esac
    sleep 0.2
  done
fi
ask SHUTDOWN NOSAVE
wait
[ "$(cat /tmp/lifeboat.ended)" = 0 ] || exit 76`;

/** What the scripts that move data begin with: once begun they go on, even when we are gone. */
const undisturbed = `trap '' HUP INT TERM PIPE
set -e
cd -- "$1"; shift`;

/**
 * Puts staged data in the place of the present one, which goes aside; each step is a rename within one folder. A part
 * that was not there before is noted, so that going back removes it.
 * Arguments: folder; staged folder; folder to keep the present data in; names of the parts, the RDB file first.
 */
export const switchScript = `${undisturbed}
new=$1 kept=$2; shift 2
[ -f "$new/dump.rdb" ] || exit 71
mkdir -m 700 -- "$kept"
for part; do
  if [ -e "$part" ]; then mv -- "$part" "$kept/"; else true >"$kept/.none.$part"; fi
done
mv -- "$new/dump.rdb" "$1"; shift
for part; do
  [ ! -e "$new/$part" ] || mv -- "$new/$part" "$part"
done
rmdir -- "$new"
sync`;

/**
 * How far a switch came: exit code 3 when it had not begun, 4 when it was whole, 5 in between.
 * Arguments: staged folder; folder with the data from before.
 */
export const progressScript = '[ -d "$2" ] || exit 3; [ -d "$1" ] || exit 4; exit 5';

/**
 * Takes the switch back, however far it went; running it twice does no harm.
 * Arguments: folder; folder with the data from before; names of the parts.
 */
export const backScript = `${undisturbed}
kept=$1; shift
[ -d "$kept" ] || exit 0
for part; do
  if [ -e "$kept/$part" ]; then
    rm -rf -- "$part"
    mv -- "$kept/$part" "$part"
  elif [ -e "$kept/.none.$part" ]; then
    rm -rf -- "$part" "$kept/.none.$part"
  fi
done
rm -rf -- "$kept"/.none.*
rmdir -- "$kept"
sync`;
