#!/usr/bin/env bash
# up.sh [GROUP…] : the engine and the images of the groups are there when it returns; without a group, core.
#   core       Docker Engine, debian, node, postgres:17
#   databases  the newest of every other engine, and an app on SQLite
#   versions   more PostgreSQL versions, one of them without tools
#   s3         a real S3 server (Ceph)
#   all        every group
# stdout carries `export` lines alone:  eval "$(testbed/up.sh core databases)"
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/say.sh
source "$here/lib/say.sh"

images_of() { awk -v group="$1" '!/^#/ && $4 == group { print $1 }' "$here/images/catalog"; }

# images GROUP : makes the group's images.
images() {
  local names
  mapfile -t names < <(images_of "$1")
  "$here/image.sh" "${names[@]}"
}

(($#)) || set -- core
if [[ " $* " == *" all "* ]]; then set -- core databases versions s3; fi
for group; do
  case $group in core | databases | versions | s3) ;; *) die "no group $group: core, databases, versions, s3, all" ;; esac
done

exports=$("$here/engine.sh" up)
eval "$exports"
for group; do
  if [[ $group == s3 ]]; then
    more=$("$here/ceph.sh" up)
    exports+=$'\n'$more
  else
    step "group $group" images "$group"
  fi
done
printf '%s\n' "$exports"
