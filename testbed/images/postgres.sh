# shellcheck shell=bash
# PostgreSQL with all its tools and contrib extensions. 17 is Debian trixie's, 15 bookworm's, 18 sid's.

case $version in 15) suite=bookworm ;; 17) suite=trixie ;; *) suite=sid ;; esac
packages=("postgresql-$version" "postgresql-client-$version" libgssapi-krb5-2 locales)
files=(entry/postgres.sh entry/first-start.sh)

build() {
  local home=/var/lib/postgresql bin=/usr/lib/postgresql/$version/bin tool
  local data=$home/data volume=$home/data
  # From 18 on the official image keeps the cluster in a folder of its major version.
  if ((version >= 18)); then data=$home/$version/docker volume=$home; fi
  new_tree
  add_user postgres "$home"
  add_english
  add_entry postgres.sh
  for tool in "$tree$bin"/*; do ln -sf "../lib/postgresql/$version/bin/${tool##*/}" "$tree/usr/bin/${tool##*/}"; done
  install -d -o 999 -g 999 -m 3775 "$tree/run/postgresql"
  install -d -o 999 -g 999 -m 700 "$tree$data"
  sed -ri "s!^#?(listen_addresses)\s*=\s*\S+.*!\1 = '*'!" "$tree/usr/share/postgresql/$version/postgresql.conf.sample"
  import_tree "ENV PATH=$default_path:$bin LANG=en_US.utf8 PGDATA=$data PG_MAJOR=$version PG_VERSION=$(debian_version "postgresql-$version")" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["postgres"]' 'EXPOSE 5432' "VOLUME $volume" 'STOPSIGNAL SIGINT'
}
