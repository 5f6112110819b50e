# shellcheck shell=bash
# What image recipes are made of. A recipe is a file images/<recipe>.sh that is sourced with $version set, declares
#
#   suite, packages=()   the Debian suite and packages whose files it takes, with all they depend on
#   npm=()               npm packages it takes, as name@exact-version
#   files=()             files under images/ that go into it
#   base                 the image it is built from, by its name in the catalog
#   pull=no              there is no official image of this kind: never pull it
#
# and defines build, which ends in import_tree or build_from. All declarations go into the image's hash, so that
# an image is built again when, and only when, its recipe changes. Newer packages on the mirror do not rebuild it.

images=$here/images
hash_label=org.testbed.hash

# --- the tree of a database image ---

# What a shell script may expect of any Debian image.
base_packages=(base-files base-passwd bash dash coreutils libc-bin sed grep tar gzip util-linux hostname findutils mawk perl-base netbase)

# Dependencies that only matter to maintainer scripts, service management or just-in-time compilation. No maintainer script
# ever runs here: users and configuration are made by the recipes, as the official images' Dockerfiles do.
left_out='^(libllvm[0-9.]+|libz3-4|systemd|udev|adduser|debconf|sensible-utils|init-system-helpers|ssl-cert|ucf|postgresql-common|postgresql-client-common|postgresql-common-dev|galera-4|iproute2|rsync|lsof|gawk|psmisc|procps|socat|libc-l10n|perl|perl-modules-.*|libperl5.*|libdbi-perl|libdbd-.*-perl)$'

# new_tree : unpacks base_packages and packages of the suite into $tree. Sets $versions to "package version" lines.
new_tree() {
  local list=$scratch/debs directory
  tree=$scratch/tree
  mkdir -p "$tree"/usr/{bin,sbin,lib,lib64}
  for directory in bin sbin lib lib64; do ln -s "usr/$directory" "$tree/$directory"; done
  fetch_closure "$suite" "${base_packages[@]}" "${packages[@]}" >"$list"
  awk -F/ -v left_out="$left_out" '{ split($NF, part, "_"); if (part[1] !~ left_out) print }' "$list" >"$list.kept"
  versions=$(awk -F/ '{ split($NF, part, "_"); print part[1], part[2] }' "$list.kept")
  # shellcheck disable=SC2016
  tree=$tree xargs -P2 -d '\n' -n1 -a "$list.kept" sh -c 'dpkg-deb --fsys-tarfile "$1" | tar -x -C "$tree" --keep-directory-symlink \
    --exclude="./usr/share/doc/*" --exclude="./usr/share/man/*" --exclude="./usr/share/info/*" --exclude="./usr/share/locale/*" \
    --exclude="./usr/lib/*-linux-gnu/gconv/*" --exclude="*/llvmjit*" --exclude="*/bitcode/*"' unpack
  cp "$tree/usr/share/base-passwd/passwd.master" "$tree/etc/passwd"
  cp "$tree/usr/share/base-passwd/group.master" "$tree/etc/group"
  printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$tree/etc/nsswitch.conf"
  [[ -e $tree/usr/bin/awk ]] || ln -s mawk "$tree/usr/bin/awk"
  [[ -e $tree/usr/bin/sh ]] || ln -s dash "$tree/usr/bin/sh"
  mkdir -p "$tree/usr/local/bin" "$tree/docker-entrypoint-initdb.d"
  ldconfig -r "$tree"
}

# upstream PACKAGE / debian_version PACKAGE : the version of an unpacked package, without or with Debian's own parts.
debian_version() { awk -v package="$1" '$1 == package { gsub(/%3a/, ":", $2); print $2 }' <<<"$versions"; }
upstream() { debian_version "$1" | sed 's/^[0-9]*://; s/-[^-]*$//; s/[+~].*//'; }

# add_user NAME HOME : uid and gid 999, as in the official Debian-based images.
add_user() {
  echo "$1:x:999:" >>"$tree/etc/group"
  echo "$1:x:999:999::$2:/bin/bash" >>"$tree/etc/passwd"
  install -d -o 999 -g 999 "$tree$2"
}

# add_entry FILE : installs images/entry/FILE and what it sources.
add_entry() {
  install -m755 "$images/entry/$1" "$tree/usr/local/bin/docker-entrypoint.sh"
  install -m644 "$images/entry/first-start.sh" "$tree/usr/local/bin/first-start.sh"
}

# add_english : the locale of the official database images, which decides how text sorts.
add_english() {
  chroot "$tree" localedef -i en_US -c -f UTF-8 -A /usr/share/locale/locale.alias en_US.UTF-8 2>/dev/null ||
    chroot "$tree" localedef -i en_US -c -f UTF-8 en_US.UTF-8
  rm -rf "$tree/usr/share/i18n"
}

default_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# import_tree INSTRUCTION… : makes the image of $tree; instructions as in a Dockerfile.
import_tree() {
  local instruction changes=()
  for instruction in "$@" "LABEL $hash_label=$hash"; do changes+=(--change "$instruction"); done
  tar -c --numeric-owner -C "$tree" . | docker import "${changes[@]}" - "$tag" >/dev/null
}

# build_from DIRECTORY [OPTION…] : builds DIRECTORY/Dockerfile; images named there in FROM are local ones.
build_from() {
  BUILDX_BUILDER=default docker build --quiet --pull=false --label "$hash_label=$hash" --tag "$tag" "${@:2}" "$1" >/dev/null
}

# --- npm ---

# installed_version NAME : the version of a package in the checkout's node_modules; empty when it is not there.
installed_version() {
  sed -n 's/^ *"version": *"\([^"]*\)".*/\1/p; /^ *"version"/q' "$here/../node_modules/$1/package.json" 2>/dev/null || true
}

# npm_package NAME@VERSION : prints a folder that holds the unpacked package: the checkout's own where it has that version.
npm_package() {
  local name=${1%@*} version=${1##*@} unpacked tarball
  if [[ $(installed_version "$name") == "$version" ]]; then
    echo "$here/../node_modules/$name"
    return
  fi
  unpacked=$cache/npm/${name//\//_}@$version
  if [[ ! -d $unpacked ]]; then
    [[ -n $(command -v npm) ]] || die "npm is needed to fetch $1"
    mkdir -p "$scratch/npm"
    tarball=$(cd "$scratch/npm" && npm pack --silent --no-audit "$1" 2>"$scratch/npm/error") ||
      { cat "$scratch/npm/error" >&2; die "npm cannot give $1"; }
    tar -xzf "$scratch/npm/$tarball" -C "$scratch/npm"
    mkdir -p "$cache/npm"
    mv "$scratch/npm/package" "$unpacked"
  fi
  echo "$unpacked"
}
