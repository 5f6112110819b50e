#!/usr/bin/env bash
# engine.sh up|down|status : a Docker Engine with Compose v2 and buildx.
# up      uses the engine that already answers, else starts one of its own from the cache; prints `export` lines to eval
# down    stops the engine that up started, never another one; its images stay in the cache
# status  says which engine there is; exit code 1 when there is none
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in say cache apt cgroups engine; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done

up() {
  if find_foreign; then
    use_foreign
  else
    find_ours || step "engine" start_ours
    use_ours
  fi
  print_env
}

down() {
  if our_pid >/dev/null; then
    step "engine stopped" stop_ours
  else
    stop_ours # sweeps up after a killed one
    say "no engine of the testbed is running"
  fi
}

status() {
  if find_foreign; then
    use_foreign
    echo "engine    $(docker version --format '{{.Server.Version}}'), API $api, at $DOCKER_HOST: not started by the testbed"
  elif find_ours; then
    use_ours
    echo "engine    $(docker version --format '{{.Server.Version}}'), API $api, at $DOCKER_HOST: the testbed's own, pid $(our_pid)"
  else
    echo "engine    none (testbed/engine.sh up)"
    return 1
  fi
  echo "          compose $(docker compose version --short), buildx $(docker buildx version | cut -d' ' -f2)"
}

case ${1:-} in
up) with_lock engine up ;;
down) with_lock engine down ;;
status) status ;;
*) die "usage: engine.sh up|down|status" ;;
esac
