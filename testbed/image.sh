#!/usr/bin/env bash
# image.sh NAME… : the named images of images/catalog are there when it returns; `--list` prints the catalog's state.
# An image is pulled where a registry answers and built from Debian and npm packages where none does. One that is
# present and whose recipe has not changed is left as it is; so is one that the testbed did not make.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in say cache apt engine registry; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done
# shellcheck source=images/lib.sh
source "$here/images/lib.sh"

# catalog_line NAME : the image's line of the catalog, by its name or by any other tag of it.
catalog_line() {
  awk -v name="$1" '!/^#/ && NF { for (i = 1; i <= NF; i++) if ((i == 1 || i > 4) && $i == name) { print; exit } }' "$images/catalog"
}

# read_recipe NAME : sources the recipe of a catalogued image and computes its hash.
read_recipe() {
  read -r name recipe version group aliases < <(catalog_line "$1") || die "no image $1 in images/catalog"
  suite='' packages=() npm=() files=() base='' pull=yes
  # shellcheck source=/dev/null
  source "$images/$recipe.sh"
  local base_hash=
  [[ -z $base ]] || base_hash=$(read_recipe "$base" && echo "$hash")
  hash=$(
    {
      (cd "$images" && sha256sum "$recipe.sh" lib.sh "${files[@]}")
      echo "$version $suite ${packages[*]} ${npm[*]} $base_hash"
    } | sha256sum | cut -d' ' -f1
  )
  # Where there is no official image the name may be taken by one: the testbed's own tag decides.
  tag=$name
  if [[ $pull == no && -n $aliases ]]; then tag=$aliases; fi
}

# state_of TAG : absent, current or stale (both made here), foreign (made elsewhere).
state_of() {
  local label
  label=$(docker image inspect --format "{{index .Config.Labels \"$hash_label\"}}" "$1" 2>/dev/null) || { echo absent; return; }
  case $label in "$hash") echo current ;; '' | '<no value>') echo foreign ;; *) echo stale ;; esac
}

# give NAME : one image, in a subshell so that recipes cannot disturb one another.
give() (
  read_recipe "$1"
  case $(state_of "$tag") in
  current | foreign) ;;
  *)
    if [[ $pull == yes ]] && registry_reachable && docker pull --quiet "$name" >/dev/null; then
      say "pulled $name"
    else
      [[ -z $base ]] || give "$base"
      make
    fi
    ;;
  esac
  add_aliases
)

make() {
  local old
  need_root "building $name"
  old=$(docker image inspect --format '{{.Id}}' "$tag" 2>/dev/null || true)
  scratch=$(scratch_dir)
  trap 'rm -rf "$scratch"' EXIT
  step "$name" build
  [[ -z $old ]] || docker image rm "$old" >/dev/null 2>&1 || true
}

# add_aliases : every name of the image, except one that an image from elsewhere already has.
add_aliases() {
  local other id
  id=$(docker image inspect --format '{{.Id}}' "$tag")
  for other in "$name" $aliases; do
    [[ $(docker image inspect --format '{{.Id}}' "$other" 2>/dev/null) != "$id" ]] || continue
    if [[ $(state_of "$other") == foreign ]]; then say "$other is not the testbed's: left as it is"; continue; fi
    docker tag "$tag" "$other"
  done
}

list() {
  local each
  while read -r each _; do
    (
      read_recipe "$each"
      state=$(state_of "$tag")
      size=$(docker image inspect --format '{{.Size}}' "$tag" 2>/dev/null || echo 0)
      printf '%-30s %-10s %-8s %5d MB\n' "$name" "$group" "$state" $((size / 1000000))
    )
  done < <(grep -Ev '^#|^$' "$images/catalog")
}

(($#)) || die "usage: image.sh NAME… | --list"
lines=$("$here/engine.sh" up)
eval "$lines"
if [[ $1 == --list ]]; then
  list
else
  for wanted in "$@"; do
    [[ -n $(catalog_line "$wanted") ]] || die "no image $wanted in images/catalog"
    with_lock images give "$wanted"
  done
fi
