# shellcheck shell=bash
# FalkorDB: redis-server and the module from npm, on Debian trixie's libraries.

suite=trixie
packages=(libgomp1 libssl3t64 libstdc++6 libsystemd0 redis-tools)
npm=(@falkordblite/linux-x64@8.2.3-falkordb.4.16.3)
files=(entry/falkordb.sh)

build() {
  local package home=/var/lib/falkordb
  package=$(npm_package "${npm[0]}")
  new_tree
  mkdir -p "$tree$home"/{bin,data}
  install -m755 "$(find "$package" -name redis-server -type f)" "$tree/usr/local/bin/redis-server"
  install -m755 "$(find "$package" -name falkordb.so -type f)" "$tree$home/bin/falkordb.so"
  install -m755 "$images/entry/falkordb.sh" "$tree$home/bin/run.sh"
  import_tree "ENV PATH=$default_path FALKORDB_HOME=$home FALKORDB_DATA_PATH=$home/data FALKORDB_BIN_PATH=$home/bin" \
    "CMD [\"$home/bin/run.sh\"]" 'EXPOSE 6379' "VOLUME $home/data" "WORKDIR $home"
}
