#!/bin/bash
# Entry point of the MariaDB image: the documented behaviour of the official one. Accounts are made by an init file, which the
# server runs before it accepts its first connection, so that one start is enough.
set -euo pipefail
# shellcheck source=/dev/null
source /usr/local/bin/first-start.sh

if [[ ${1:-} == -* || $# == 0 ]]; then set -- mariadbd "$@"; fi
if [[ $1 == mysqld ]]; then set -- mariadbd "${@:2}"; fi
[[ $1 == mariadbd ]] || exec "$@"

data=/var/lib/mysql
if [[ $(id -u) == 0 ]]; then
  mkdir -p /run/mysqld "$data"
  find "$data" /run/mysqld ! -user mysql -exec chown mysql: {} +
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

# setting NAME : MARIADB_NAME or its older spelling MYSQL_NAME, from the environment or a file.
setting() {
  file_env "MARIADB_$1" "${3:-}"
  file_env "MYSQL_$1"
  local name=MARIADB_$1 older=MYSQL_$1
  printf -v "$2" %s "${!name:-${!older}}"
  unset "$name" "$older"
}

accounts() {
  local host account
  echo "SET SESSION sql_mode='';"
  echo "DROP USER IF EXISTS 'root'@'127.0.0.1', 'root'@'::1', 'root'@'$(hostname)', ''@'localhost', ''@'$(hostname)';"
  for host in localhost "$root_host"; do
    [[ -n $host ]] || continue
    echo "CREATE USER IF NOT EXISTS 'root'@'$host';"
    echo "ALTER USER 'root'@'$host' IDENTIFIED BY '$(escaped "$root_password")';"
    echo "GRANT ALL ON *.* TO 'root'@'$host' WITH GRANT OPTION;"
  done
  for host in 127.0.0.1 ::1 localhost; do
    echo "CREATE USER 'healthcheck'@'$host' IDENTIFIED BY '$health_password';"
  done
  if [[ -n $database ]]; then echo "CREATE DATABASE IF NOT EXISTS \`${database//\`/\`\`}\`;"; fi
  if [[ -n $user ]]; then
    account="'$(escaped "$user")'@'%'"
    echo "CREATE USER $account IDENTIFIED BY '$(escaped "$password")';"
    # As in the official image: _ is a wildcard here, and must not be one.
    if [[ -n $database ]]; then database=${database//_/\\_}; echo "GRANT ALL ON \`${database//\`/\`\`}\`.* TO $account;"; fi
  fi
}

# seed : runs /docker-entrypoint-initdb.d on a server that listens on its socket only.
seed() {
  local server client=(mariadb --protocol=socket -uroot)
  has_seeds || return 0
  export MYSQL_PWD=$root_password
  mariadbd --skip-networking --init-file="$init" &
  server=$!
  until mariadb-admin --protocol=socket -uroot ping >/dev/null 2>&1; do
    kill -0 "$server" || fail "the server did not start"
    sleep 0.1
  done
  [[ -z $database ]] || client+=("--database=${database//\\_/_}")
  seed_by "${client[@]}"
  mariadb-admin --protocol=socket -uroot shutdown
  wait "$server"
  unset MYSQL_PWD
  init=
}

init=
if [[ ! -d $data/mysql ]]; then
  setting ROOT_PASSWORD root_password
  setting ROOT_HOST root_host
  setting DATABASE database
  setting USER user
  setting PASSWORD password
  root_host=${root_host:-%}
  if [[ -n ${MARIADB_RANDOM_ROOT_PASSWORD:-${MYSQL_RANDOM_ROOT_PASSWORD:-}} ]]; then
    root_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "GENERATED ROOT PASSWORD: $root_password"
  fi
  [[ -n $root_password || -n ${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-${MYSQL_ALLOW_EMPTY_PASSWORD:-}} ]] ||
    fail "Database is uninitialized and password option is not specified. Set MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD or MARIADB_RANDOM_ROOT_PASSWORD."
  mariadb-install-db --datadir="$data" --skip-test-db --auth-root-authentication-method=normal --skip-name-resolve >/dev/null
  health_password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  (umask 077 && printf '[client]\nuser=healthcheck\npassword=%s\n' "$health_password" >"$data/.my-healthcheck.cnf")
  # In memory and readable by the server alone; it is gone with the container, and holds nothing that the data folder does not.
  init=$(umask 077 && mktemp /dev/shm/init.XXXXXX)
  accounts >"$init"
  seed
  echo "MariaDB init process done. Ready for start up."
fi
exec "$@" ${init:+--init-file="$init"}
