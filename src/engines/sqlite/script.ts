/**
 * Pieces of the fixed shell scripts of this engine. Nothing is ever put into a script: paths come as arguments, SQL by
 * the environment. Exit codes follow sysexits.h: 65 bad data, 66 no such file, 73 no room, 74 cannot be read, 75 busy.
 */
export const exitCodes = { badData: 65, noInput: 66, noRoom: 73, busy: 75 } as const;

/** Must be in the environment of every script that counts. */
export const scriptEnv: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  HOME: '/nonexistent', // sqlite3 would run what it finds in ~/.sqliterc.
  OBJECTS: `SELECT 'lifeboat:objects ' || json_object('tables', count(*) FILTER (WHERE type = 'table'),
    'indexes', count(*) FILTER (WHERE type = 'index'), 'views', count(*) FILTER (WHERE type = 'view'),
    'triggers', count(*) FILTER (WHERE type = 'trigger')) FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
  // One statement per table that has rows of its own; virtual tables have them in their shadow tables.
  ROWS: `SELECT 'SELECT ''lifeboat:rows '' || json_array(' || quote(name) || ', (SELECT count(*) FROM "'
    || replace(name, '"', '""') || '"));' FROM sqlite_master WHERE type = 'table' AND rootpage > 0
    AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
};

/** `db` waits for whoever else of us has the copy open: to count and to check it go on at the same time. */
export const prelude = `set -u
fail() { code=$1; shift; echo "$*" >&2; exit "$code"; }
db() { sqlite3 -batch -cmd '.timeout 30000' "$@"; }
`;

/** A scratch folder that goes with the script; what one killed a day ago left in a container that lives on goes first. */
export const scratch = `${prelude}find "\${TMPDIR:-/tmp}" -maxdepth 1 -name 'lifeboat-sqlite.*' -mmin +1440 -exec rm -rf {} + 2>/dev/null
work=$(mktemp -d "\${TMPDIR:-/tmp}/lifeboat-sqlite.XXXXXX") || fail 73 'no scratch folder can be made'
trap 'rm -rf "$work"' EXIT
trap 'exit 143' HUP INT TERM
cd "$work" || fail 73 'the scratch folder cannot be entered'
`;

/** `room NEEDED FOLDER`: fails when less is free there. */
export const room = `room() {
  free=$(( $(stat -f -c '%a * %S' -- "$2") ))
  [ "$free" -gt "$1" ] || fail 73 "there is no room for a copy: $1 bytes are needed, $free are free"
}
`;

/** `count FILE rows|objects`: what the file holds, a line each. A table that only its app can read is left out. */
export const count = `count() {
  db -bail $safe -list "$1" "$OBJECTS"
  [ "$2" = objects ] || db -bail $safe -list "$1" "$ROWS" | db $safe -list "$1" 2>/dev/null
  echo lifeboat:counted
}
`;

/**
 * `check FILE`: is it one whole database? SQLite alone takes an empty file, and one that lacks its last bytes, for a
 * good database, so sizes come first. Where integrity_check needs a collation or a function that only the app has, every
 * page of every tree is walked instead.
 */
export const check = `safe=-safe
check() {
  size=$(stat -c %s -- "$1")
  [ "$size" -gt 0 ] || fail 65 'it is empty'
  [ "$(head -c 15 -- "$1")" = 'SQLite format 3' ] || fail 65 'it does not begin as SQLite databases do'
  [ "$size" -ge 512 ] || fail 65 'it is cut'
  set -- "$1" $(od -An -v -tu1 -j16 -N16 -- "$1")
  page=$(( $2 * 256 + $3 )); [ "$page" -ne 1 ] || page=65536
  pages=$(( ((\${14} * 256 + \${15}) * 256 + \${16}) * 256 + \${17} ))
  [ "$page" -ge 512 ] && [ $(( size % page )) -eq 0 ] && [ "$size" -ge $(( page * pages )) ] ||
    fail 65 "it is cut: $size bytes of $pages pages of $page bytes"
  verdict=$(db -bail -safe -list "$1" 'PRAGMA trusted_schema=OFF' 'PRAGMA integrity_check' 2>&1); rc=$?
  if [ "$rc" -eq 0 ] && [ "$verdict" = ok ]; then
    echo 'lifeboat:checked integrity_check found nothing wrong'
  elif [ "$rc" -ne 0 ] && only_its_app "$verdict"; then
    bad=$(db -bail -safe -list "$1" "SELECT count(*) FROM dbstat WHERE pagetype = 'corrupted'" 2>&1)
    [ "$bad" = 0 ] || fail 65 "its pages are damaged: $bad"
    echo "lifeboat:checked every page was walked, as integrity_check needs the app itself ($(printf %s "$verdict" | head -n 1))"
  else
    fail 65 "integrity_check says: $(printf %s "$verdict" | head -n 3)"
  fi
  db -bail -safe -list "$1" "SELECT 'lifeboat:foreign-keys ' || count(*) FROM pragma_foreign_key_check" 2>/dev/null
}
only_its_app() {
  case $1 in *'no such collation'* | *'unknown function'* | *'no such function'* | *'no such tokenizer'* | *'no such module'*) ;; *) return 1 ;; esac
}
`;
