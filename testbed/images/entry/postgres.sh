#!/bin/bash
# Entry point of the PostgreSQL images: the documented behaviour of the official one. The first start never listens on TCP
# before it is done. Role password and database are made in single-user mode, which needs no psql and no second server start.
set -euo pipefail
# shellcheck source=/dev/null
source /usr/local/bin/first-start.sh

if [[ ${1:-} == -* || $# == 0 ]]; then set -- postgres "$@"; fi
[[ $1 == postgres ]] || exec "$@"

if [[ $(id -u) == 0 ]]; then
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 00700 "$PGDATA"
  chmod 03775 /var/run/postgresql
  find "$PGDATA" ! -user postgres -exec chown postgres: {} +
  chown postgres: /var/run/postgresql
  # Debian 18's PGDATA lies below its volume: the folders between are ours too.
  [[ ! -d /var/lib/postgresql ]] || find /var/lib/postgresql -maxdepth 1 ! -user postgres -exec chown postgres: {} +
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

# single DATABASE [OPTION…] : runs the SQL on stdin in single-user mode.
single() { postgres --single -F -c exit_on_error=true -c log_min_messages=error "${@:2}" -D "$PGDATA" "$1" >/dev/null; }

seed() {
  local file
  has_seeds || return 0
  if ! command -v psql >/dev/null; then
    for file in /docker-entrypoint-initdb.d/*.sql; do
      echo "$0: running $file"
      { cat "$file"; printf '\n;\n\n'; } | single "$POSTGRES_DB" -j
    done
    return
  fi
  export PGUSER=$POSTGRES_USER
  pg_ctl -D "$PGDATA" -o "-c listen_addresses= -p 5432" -w start >/dev/null
  seed_by psql -v ON_ERROR_STOP=1 --no-psqlrc --no-password -d "$POSTGRES_DB"
  pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
}

if [[ ! -s $PGDATA/PG_VERSION ]]; then
  file_env POSTGRES_PASSWORD
  file_env POSTGRES_USER postgres
  file_env POSTGRES_DB "$POSTGRES_USER"
  file_env POSTGRES_INITDB_ARGS
  method=${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}
  [[ -n $POSTGRES_PASSWORD || $method == trust ]] ||
    fail "Error: Database is uninitialized and superuser password is not specified. Set POSTGRES_PASSWORD to a non-empty value."
  # shellcheck disable=SC2086 # arguments by words, as in the official image
  eval "initdb --no-sync --username=\"\$POSTGRES_USER\" -D \"\$PGDATA\" $POSTGRES_INITDB_ARGS"
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
  if [[ -n $POSTGRES_PASSWORD ]]; then
    echo "ALTER ROLE \"${POSTGRES_USER//\"/\"\"}\" PASSWORD E'$(escaped "$POSTGRES_PASSWORD")';" | single postgres
  fi
  if [[ $POSTGRES_DB != postgres ]]; then
    echo "CREATE DATABASE \"${POSTGRES_DB//\"/\"\"}\";" | single postgres
  fi
  seed
  echo "PostgreSQL init process complete; ready for start up."
fi

# As in the official image, the server does not see the password.
unset POSTGRES_PASSWORD
exec "$@"
