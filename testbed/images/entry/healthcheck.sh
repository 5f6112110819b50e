#!/bin/bash
# The official MariaDB image's healthcheck.sh, as far as compose files use it: --connect and --innodb_initialized.
set -euo pipefail

for check; do
  case $check in
  --connect) query='select 1' ;;
  --innodb_initialized) query="select 1 from information_schema.ENGINES where engine='innodb' and support in ('YES','DEFAULT')" ;;
  *) continue ;;
  esac
  answer=$(mariadb --defaults-extra-file=/var/lib/mysql/.my-healthcheck.cnf --protocol=tcp -h localhost --skip-ssl-verify-server-cert -BNe "$query")
  [[ $answer == 1 ]]
done
