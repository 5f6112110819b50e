# shellcheck shell=bash
# Debian packages of any suite without touching the system's own packages: one private apt "world" per suite,
# whose mirror is that of this machine's own apt configuration. Nothing here ever installs into the system except need_tools.

# mirror_of KIND : the address of the Debian archive this machine uses. KIND is main or security; security may be empty.
# `apt-get update --print-uris` reads deb822 and classic source lists alike and needs no index.
mirror_of() {
  local kind=$1 suite='[a-z]*'
  [[ $kind == main ]] || suite='[a-z]*-security'
  apt-get update --print-uris 2>/dev/null |
    sed -n "s#^'\(.*\)/dists/\($suite\)/InRelease'.*#\2 \1#p" |
    awk '$1 ~ /^(bullseye|bookworm|trixie|forky|sid|stable|testing|unstable)(-security)?$/ { print $2; exit }'
}

need_mirror() {
  [[ -n $(command -v apt-get) ]] || die "no apt-get: building images needs Debian (or a reachable container registry to pull from)"
  mirror=${mirror:-$(mirror_of main)}
  [[ -n $mirror ]] || die "no Debian mirror in this machine's apt configuration"
}

need_root() { ((EUID == 0)) || die "$1 needs root"; }

# need_tools COMMAND:PACKAGE… : installs what is missing into the system, from the system's own suite.
need_tools() {
  local pair missing=()
  for pair in "$@"; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  ((${#missing[@]})) || return 0
  need_root "installing ${missing[*]}"
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update >&2
  apt-get -qq -y -o DPkg::Lock::Timeout=300 install --no-install-recommends "${missing[@]}" </dev/null >"$cache/apt-install.log" 2>&1 ||
    { tail -20 "$cache/apt-install.log" >&2; die "could not install ${missing[*]}"; }
}

# in_world SUITE COMMAND… : runs an apt command in the private world of the suite.
in_world() { APT_CONFIG=$cache/apt/$1/apt.conf "${@:2}"; }

# need_world SUITE : the world exists and its index is at most a day old.
need_world() {
  local suite=$1 world=$cache/apt/$1 keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  [[ -n $(find "$world/fresh" -mtime -1 2>/dev/null) ]] && return 0
  need_mirror
  [[ -e $keyring ]] || die "$keyring is missing (package debian-archive-keyring)"
  mkdir -p "$world"/{state/lists/partial,cache/archives/partial,empty}
  : >"$world/state/status"
  echo "deb [signed-by=$keyring] $mirror $suite main" >"$world/sources.list"
  # Check-Valid-Until: mirrors of sid are often older than the index's own expiry. The signature is still checked.
  cat >"$world/apt.conf" <<CONF
Dir::Etc::sourcelist "$world/sources.list";
Dir::Etc::sourceparts "$world/empty";
Dir::Etc::preferencesparts "$world/empty";
Dir::State "$world/state";
Dir::State::status "$world/state/status";
Dir::Cache "$world/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Keep-Downloaded-Packages "true";
Binary::apt-get::APT::Keep-Downloaded-Packages "true";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
  in_world "$suite" apt-get -qq update >&2 || die "the index of Debian $suite could not be fetched"
  touch "$world/fresh"
}

# fetch_closure SUITE PACKAGE… : prints the .deb files of the packages and all they depend on, fetching what is not cached.
fetch_closure() {
  local suite=$1
  shift
  need_world "$suite"
  if ! in_world "$suite" apt-get -qq -y install --download-only "$@" </dev/null >/dev/null 2>"$cache/apt/$suite/error"; then
    # The mirror moved on since the index was read: sid does so several times a day.
    rm -f "$cache/apt/$suite/fresh"
    need_world "$suite"
    in_world "$suite" apt-get -qq -y install --download-only "$@" </dev/null >/dev/null ||
      die "Debian $suite cannot give $* today (see above); ${suite/sid/sid moves, try again later}"
  fi
  in_world "$suite" apt-get -qq -y --simulate install "$@" |
    awk '/^Inst/ { gsub(/[(]/, "", $3); gsub(/:/, "%3a", $3); print $2, $3 }' |
    while read -r name version; do
      printf '%s\n' "$cache/apt/$suite/cache/archives/${name}_${version}"_*.deb
    done
}
