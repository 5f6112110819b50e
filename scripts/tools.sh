#!/usr/bin/env bash
# Sourced by the other scripts: the repository's root, its dependencies and the programs that tests call on this host.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The lock file decides; npm writes its own copy beside what it installed. Its warnings are about the Node that it runs on
# itself; all of ours runs on the one it installs.
install_packages() {
  if ! cmp -s package-lock.json node_modules/.lifeboat-lock 2>/dev/null; then
    npm ci --no-progress --loglevel=error >&2
    cp package-lock.json node_modules/.lifeboat-lock
  fi
  export PATH="$PWD/node_modules/.bin:$PATH"
}

# Compressors that the image brings and a development machine may lack.
install_programs() {
  local missing=()
  command -v zstd >/dev/null || missing+=(zstd)
  command -v igzip >/dev/null || missing+=(isal)
  command -v pigz >/dev/null || missing+=(pigz)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "please install: ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -qq >&2
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# Lifeboat's own image, from the testbed's base images.
build_image() {
  node scripts/build.ts >&2
  docker build -q -t "$1" --build-arg REVISION="$(git rev-parse HEAD 2>/dev/null || echo unknown)" \
    --build-arg CREATED="$(git show -s --format=%cI HEAD 2>/dev/null || echo unknown)" . >/dev/null
}
