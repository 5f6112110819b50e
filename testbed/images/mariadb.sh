# shellcheck shell=bash
# MariaDB with its client tools and mariadb-backup, from Debian trixie.

suite=trixie
packages=(mariadb-server-core mariadb-server mariadb-client-core mariadb-client mariadb-backup)
files=(entry/mariadb.sh entry/healthcheck.sh entry/first-start.sh)

build() {
  new_tree
  add_user mysql /var/lib/mysql
  add_entry mariadb.sh
  install -m755 "$images/entry/healthcheck.sh" "$tree/usr/local/bin/healthcheck.sh"
  rm -rf "$tree"/usr/bin/{aria_*,myisam*,mariadb-test*,mysql-test*} "$tree"/etc/mysql/{debian*,mariadb.conf.d,conf.d}
  mkdir -p "$tree"/etc/mysql/{conf.d,mariadb.conf.d} "$tree/run/mysqld"
  cat >"$tree/etc/mysql/my.cnf" <<'CNF'
[client-server]
socket = /run/mysqld/mysqld.sock
!includedir /etc/mysql/mariadb.conf.d/
!includedir /etc/mysql/conf.d/
CNF
  cat >"$tree/etc/mysql/mariadb.conf.d/50-server.cnf" <<'CNF'
[mariadbd]
datadir = /var/lib/mysql
pid-file = /run/mysqld/mysqld.pid
host-cache-size = 0
skip-name-resolve
CNF
  import_tree "ENV PATH=$default_path LANG=C.UTF-8 MARIADB_VERSION=$(debian_version mariadb-server-core)" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["mariadbd"]' 'EXPOSE 3306' 'VOLUME /var/lib/mysql'
}
