# shellcheck shell=bash
# Valkey from Debian trixie.

suite=trixie
packages=(valkey-server)
files=(entry/valkey.sh entry/first-start.sh)

build() {
  new_tree
  add_user valkey /data
  add_entry valkey.sh
  rm -rf "$tree/etc/valkey"
  import_tree "ENV PATH=$default_path VALKEY_VERSION=$(upstream valkey-server)" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["valkey-server"]' 'EXPOSE 6379' 'VOLUME /data' 'WORKDIR /data'
}
