# shellcheck shell=bash
# The cache folder: downloads, the engine, its images. It may be deleted at any time once everything is down.

cache=${LIFEBOAT_TESTBED_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/lifeboat-testbed}
mkdir -p "$cache/locks"
cache=$(cd "$cache" && pwd -P)

# with_lock NAME COMMAND… : one caller at a time, across processes. Not re-entrant for the same name.
with_lock() {
  local name=$1 fd
  shift
  exec {fd}>"$cache/locks/$name"
  if ! flock -n "$fd"; then
    say "waiting for another caller ($name)"
    flock "$fd"
  fi
  "$@"
  exec {fd}>&-
}

# detach LOG COMMAND… : starts a long-lived process that holds nothing of the caller: no stdio, no lock, no session.
# A process that kept the caller's stdout would make `$(…)` and CI pipes wait for ever.
detach() {
  local log=$1
  shift
  (
    for fd in /proc/"$BASHPID"/fd/*; do
      fd=${fd##*/}
      ((fd <= 2)) || eval "exec $fd>&-"
    done
    cd /
    exec setsid "$@" </dev/null >>"$log" 2>&1
  ) &
  disown
}

# scratch_dir : a new folder for unpacking, in memory where there is room for it (unpacking is a third faster there).
# The caller removes it.
scratch_dir() {
  local parent=$cache/tmp free
  free=$(df --output=avail -B1M /dev/shm 2>/dev/null | tail -1) || free=0
  if ((${free:-0} > 3000)) && [[ $(stat -f -c %T /dev/shm) == tmpfs ]]; then parent=/dev/shm; fi
  mkdir -p "$parent"
  mktemp -d "$parent/lifeboat-testbed.XXXXXX"
}
