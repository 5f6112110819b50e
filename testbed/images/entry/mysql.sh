#!/bin/bash
# Entry point of the MySQL image: the documented behaviour of the official one. Accounts are made by an init file, which the
# server runs before it accepts its first connection, so that one start is enough.
set -euo pipefail
# shellcheck source=/dev/null
source /usr/local/bin/first-start.sh

if [[ ${1:-} == -* || $# == 0 ]]; then set -- mysqld "$@"; fi
[[ $1 == mysqld ]] || exec "$@"

data=/var/lib/mysql
if [[ $(id -u) == 0 ]]; then
  mkdir -p /var/run/mysqld "$data"
  find "$data" /var/run/mysqld ! -user mysql -exec chown mysql: {} +
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" "$@"
fi

accounts() {
  local account
  echo "SET SESSION sql_mode='';"
  echo "ALTER USER 'root'@'localhost' IDENTIFIED BY '$(escaped "$MYSQL_ROOT_PASSWORD")';"
  if [[ $MYSQL_ROOT_HOST != localhost ]]; then
    echo "CREATE USER 'root'@'$MYSQL_ROOT_HOST' IDENTIFIED BY '$(escaped "$MYSQL_ROOT_PASSWORD")';"
    echo "GRANT ALL ON *.* TO 'root'@'$MYSQL_ROOT_HOST' WITH GRANT OPTION;"
  fi
  if [[ -n $MYSQL_DATABASE ]]; then echo "CREATE DATABASE IF NOT EXISTS \`${MYSQL_DATABASE//\`/\`\`}\`;"; fi
  if [[ -n $MYSQL_USER ]]; then
    account="'$(escaped "$MYSQL_USER")'@'%'"
    echo "CREATE USER $account IDENTIFIED BY '$(escaped "$MYSQL_PASSWORD")';"
    # As in the official image: _ is a wildcard here, and must not be one.
    if [[ -n $MYSQL_DATABASE ]]; then local granted=${MYSQL_DATABASE//_/\\_}; echo "GRANT ALL ON \`${granted//\`/\`\`}\`.* TO $account;"; fi
  fi
}

# seed : runs /docker-entrypoint-initdb.d on a server that listens on its socket only.
seed() {
  local server client=(mysql --protocol=socket -uroot)
  has_seeds || return 0
  mysqld --skip-networking --mysqlx=OFF --init-file="$init" &
  server=$!
  until MYSQL_PWD=$MYSQL_ROOT_PASSWORD mysql --protocol=socket -uroot -e 'select 1' >/dev/null 2>&1; do
    kill -0 "$server" || fail "the server did not start"
    sleep 0.1
  done
  [[ -z $MYSQL_DATABASE ]] || client+=("$MYSQL_DATABASE")
  export MYSQL_PWD=$MYSQL_ROOT_PASSWORD
  seed_by "${client[@]}"
  "${client[@]}" -e shutdown
  wait "$server"
  unset MYSQL_PWD
  init=
}

init=
if [[ ! -d $data/mysql ]]; then
  file_env MYSQL_ROOT_HOST %
  file_env MYSQL_DATABASE
  file_env MYSQL_USER
  file_env MYSQL_PASSWORD
  file_env MYSQL_ROOT_PASSWORD
  if [[ -n ${MYSQL_RANDOM_ROOT_PASSWORD:-} ]]; then
    MYSQL_ROOT_PASSWORD=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    echo "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
  fi
  [[ -n $MYSQL_ROOT_PASSWORD || -n ${MYSQL_ALLOW_EMPTY_PASSWORD:-} ]] ||
    fail "Database is uninitialized and password option is not specified. Set MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD or MYSQL_RANDOM_ROOT_PASSWORD."
  mysqld --initialize-insecure --datadir="$data"
  # In memory and readable by the server alone; it is gone with the container, and holds nothing that the data folder does not.
  init=$(umask 077 && mktemp /dev/shm/init.XXXXXX)
  accounts >"$init"
  seed
  echo "MySQL init process done. Ready for start up."
fi
unset MYSQL_ROOT_PASSWORD MYSQL_PASSWORD MYSQL_USER MYSQL_DATABASE
exec "$@" ${init:+--init-file="$init"}
