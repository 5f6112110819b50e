# shellcheck shell=bash
# Oracle's MySQL with its client tools, from Debian sid.

suite=sid
packages=(mysql-server-core mysql-client-core)
files=(entry/mysql.sh entry/first-start.sh)

build() {
  new_tree
  add_user mysql /var/lib/mysql
  add_entry mysql.sh
  rm -rf "$tree/etc/mysql"
  # mysqld refuses to start without the folder that secure-file-priv names.
  install -d -o 999 -g 999 -m 750 "$tree/var/lib/mysql-files"
  install -d -o 999 -g 999 "$tree/run/mysqld"
  mkdir -p "$tree/etc/mysql/conf.d"
  cat >"$tree/etc/my.cnf" <<'CNF'
[mysqld]
host-cache-size = 0
skip-name-resolve
datadir = /var/lib/mysql
socket = /var/run/mysqld/mysqld.sock
secure-file-priv = /var/lib/mysql-files
pid-file = /var/run/mysqld/mysqld.pid

[client]
socket = /var/run/mysqld/mysqld.sock

!includedir /etc/mysql/conf.d/
CNF
  import_tree "ENV PATH=$default_path LANG=C.UTF-8 MYSQL_VERSION=$(debian_version mysql-server-core) MYSQL_MAJOR=$version" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["mysqld"]' 'EXPOSE 3306 33060' 'VOLUME /var/lib/mysql'
}
