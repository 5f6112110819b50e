# shellcheck shell=bash
# Redis from Debian trixie.

suite=trixie
packages=(redis-server)
files=(entry/redis.sh entry/first-start.sh)

build() {
  new_tree
  add_user redis /data
  add_entry redis.sh
  rm -rf "$tree/etc/redis"
  import_tree "ENV PATH=$default_path REDIS_VERSION=$(upstream redis-server)" \
    'ENTRYPOINT ["docker-entrypoint.sh"]' 'CMD ["redis-server"]' 'EXPOSE 6379' 'VOLUME /data' 'WORKDIR /data'
}
