#!/usr/bin/env bash
# check.sh [NAME…] : proves the database images by use (default: those that are present): a password with quotes, spaces, a
# newline and more, given by environment and by file; login over TCP from another container; a wrong password refused;
# both spellings at once refused; a row that outlives the container. Needs no network. Exit code 1 when one fails.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"
lines=$("$here/engine.sh" up)
eval "$lines"

password=$'p w"\'$%\\ü`;--#\\n\nline 2'
network=lifeboat-testbed-check-$$
server=$network-server
files=$(mktemp -d)
printf '%s\n' "$password" >"$files/password"
printf 'app user' >"$files/user"
printf 'my_app-db' >"$files/database"
chmod -R a+rX "$files"

forget_server() { docker rm -fv "$server" >/dev/null 2>&1 || true; }
trap 'forget_server; docker volume rm -f "$network" >/dev/null 2>&1; docker network rm "$network" >/dev/null 2>&1; rm -rf "$files"' EXIT

# serve VOLUME-PATH OPTION… : starts $image as $server; DATA goes to a volume of the check's own.
serve() {
  forget_server
  docker run -d --name "$server" --network "$network" -v "$network:$1" -v "$files:/check:ro" "${@:2}" >/dev/null
}

# client COMMAND… : runs a command of the same image in another container; SECRET is the password it may use.
client() { docker run --rm -i --network "$network" --entrypoint "$1" -e PGPASSWORD -e MYSQL_PWD -e REDISCLI_AUTH "$image" "${@:2}"; }

# soon COMMAND… : repeats until it succeeds, for a minute at most.
soon() {
  local begun=$SECONDS
  until "$@" >/dev/null 2>"$files/error"; do
    ((SECONDS - begun < 60)) || { cat "$files/error"; docker logs --tail 20 "$server"; return 1; } >&2
    sleep 0.2
  done
}

expect() { [[ $2 == "$1" ]] || die "$image: expected '$1', got '$2'"; }
refuse() { if "$@" >/dev/null 2>&1; then die "$image: should have been refused: $*"; fi; }

fresh_volume() { forget_server; docker volume rm -f "$network" >/dev/null; }

check_postgres() {
  local folder=/var/lib/postgresql/data tools=$image
  [[ $image != postgres:18 ]] || folder=/var/lib/postgresql
  # The image without tools is asked through one with tools.
  [[ $image != postgres:16 ]] || tools=postgres:17
  query() { image=$tools client psql -h "$server" -U "$user" -d "$database" -XAtc "$1"; }
  local user=postgres database=postgres
  serve "$folder" -e POSTGRES_PASSWORD="$password" "$image"
  PGPASSWORD=$password soon query 'create table t(x text)'
  PGPASSWORD=wrong refuse query 'select 1'
  fresh_volume
  printf 'create table seeded(x int); insert into seeded values (7);\n' >"$files/seed.sql"
  user='app user' database=my_app-db
  serve "$folder" -v "$files/seed.sql:/docker-entrypoint-initdb.d/seed.sql:ro" -e POSTGRES_PASSWORD_FILE=/check/password \
    -e POSTGRES_USER_FILE=/check/user -e POSTGRES_DB_FILE=/check/database "$image"
  export PGPASSWORD=$password
  soon query 'create table if not exists t(x text)'
  query "insert into t values ('kept')" >/dev/null
  expect 7 "$(query 'select x from seeded')"
  docker restart "$server" >/dev/null
  soon query 'select 1'
  expect kept "$(query 'select x from t')"
  unset PGPASSWORD
  refuse docker run --rm -v "$files:/check:ro" -e POSTGRES_PASSWORD=x -e POSTGRES_PASSWORD_FILE=/check/password "$image"
  refuse docker run --rm "$image"
}

check_mysql() {
  local tool=mysql prefix=MYSQL_
  [[ $image != mariadb:* ]] || { tool=mariadb prefix=MARIADB_; }
  query() { client "$tool" -h "$server" "-u$user" -BNe "$1" ${2:+"$2"}; }
  local user=root
  serve /var/lib/mysql -e "${prefix}ROOT_PASSWORD=$password" "$image"
  MYSQL_PWD=$password soon query 'select 1'
  MYSQL_PWD=wrong refuse query 'select 1'
  fresh_volume
  printf 'create table seeded(x int);\ninsert into seeded values (7);\n' >"$files/seed.sql"
  user='app user'
  serve /var/lib/mysql -v "$files/seed.sql:/docker-entrypoint-initdb.d/seed.sql:ro" -e "${prefix}ROOT_PASSWORD_FILE=/check/password" \
    -e "${prefix}PASSWORD_FILE=/check/password" -e "${prefix}USER_FILE=/check/user" -e "${prefix}DATABASE_FILE=/check/database" "$image"
  export MYSQL_PWD=$password
  soon query 'select 1'
  query "create table t(x text); insert into t values ('kept')" my_app-db
  expect 7 "$(query 'select x from seeded' my_app-db)"
  docker restart "$server" >/dev/null
  soon query 'select 1'
  expect kept "$(query 'select x from t' my_app-db)"
  if [[ $tool == mariadb ]]; then docker exec "$server" healthcheck.sh --connect --innodb_initialized; fi
  unset MYSQL_PWD
  refuse docker run --rm -v "$files:/check:ro" -e "${prefix}ROOT_PASSWORD=x" -e "${prefix}ROOT_PASSWORD_FILE=/check/password" "$image"
  refuse docker run --rm "$image"
}

check_redis() {
  local name=${image%:*} password=$password
  query() { client "$name-cli" -h "$server" "$@"; }
  pong() { [[ $(query ping) == PONG ]]; }
  serve /data "$image"
  soon pong # protected mode is off
  fresh_volume
  # valkey-server itself cannot read an option with a double quote or a backslash in it.
  [[ $name != valkey ]] || password=${password//[\"\\]/}
  serve /data "$image" --requirepass "$password" --appendonly yes
  export REDISCLI_AUTH=$password
  soon pong
  query set k kept >/dev/null
  docker restart "$server" >/dev/null
  soon pong
  expect kept "$(query get k)"
  refuse env REDISCLI_AUTH=wrong pong
  unset REDISCLI_AUTH
}

check_falkordb() {
  query() { client redis-cli -h "$server" "$@"; }
  pong() { [[ $(query ping) == PONG ]]; }
  serve /var/lib/falkordb/data -e REDIS_ARGS='--requirepass se"cret --appendonly yes' "$image"
  export REDISCLI_AUTH='se"cret'
  soon pong
  query GRAPH.QUERY g "CREATE (:Person {name:'kept'})" >/dev/null
  docker restart "$server" >/dev/null
  soon pong
  [[ $(query GRAPH.QUERY g 'MATCH (p:Person) RETURN p.name') == *kept* ]] || die "$image: the graph is gone"
  unset REDISCLI_AUTH
}

check_sqlite-app() {
  serve /data "$image"
  rows() { docker exec "$server" node -p 'new (require("node:sqlite").DatabaseSync)("/data/app.db").prepare("select count(*) n from entry").get().n'; }
  soon rows
  local before after
  before=$(rows)
  sleep 1
  after=$(rows)
  ((after - before >= 30)) || die "$image writes $((after - before)) rows a second"
  docker restart "$server" >/dev/null
  soon rows
  (($(rows) >= after)) || die "$image lost rows"
}

docker network create "$network" >/dev/null
(($#)) || mapfile -t names < <("$here/image.sh" --list | awk '$3 != "absent" { print $1 }')
(($#)) && names=("$@")
for image in "${names[@]}"; do
  kind=${image##*/}
  kind=${kind%:*}
  case $kind in
  postgres) checker=check_postgres ;;
  mariadb | mysql) checker=check_mysql ;;
  redis | valkey) checker=check_redis ;;
  falkordb | sqlite-app) checker=check_$kind ;;
  *) continue ;;
  esac
  docker volume rm -f "$network" >/dev/null
  step "$image works" "$checker"
  forget_server
done
