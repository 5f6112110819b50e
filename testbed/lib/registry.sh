# shellcheck shell=bash
# Is there a container registry? Asked once; a "no" is remembered for the day, so that a machine without one never waits twice.

# registry_reachable : LIFEBOAT_TESTBED_REGISTRY=yes|no answers without asking.
registry_reachable() {
  local answer=$cache/no-registry had=
  case ${LIFEBOAT_TESTBED_REGISTRY:-} in yes) return 0 ;; no) return 1 ;; esac
  [[ -z $(find "$answer" -mtime -1 2>/dev/null) ]] || return 1
  [[ -z ${registry_seen:-} ]] || return 0
  docker image inspect hello-world >/dev/null 2>&1 && had=yes
  if timeout -k 2 20 docker pull --quiet hello-world </dev/null >/dev/null 2>&1; then
    registry_seen=yes
    [[ -n $had ]] || docker image rm hello-world >/dev/null 2>&1 || true
    return 0
  fi
  say "no container registry answers: images are built from Debian and npm packages"
  touch "$answer"
  return 1
}
