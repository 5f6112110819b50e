# shellcheck shell=bash
# Which Docker Engine the testbed uses, and the one it can start itself: Debian trixie's, unpacked into the cache.
# The system's packages stay as they are: only runc, iptables and tini come from the system's own suite, because
# trixie's runc needs a newer glibc than Debian 12 has while everything else is Go and does not.

engine=$cache/engine
engine_socket=unix://$engine/docker.sock
engine_packages=(docker.io docker-cli containerd docker-compose docker-buildx)

# --- who answers ---

api_of() { timeout 10 docker version --format '{{.Server.APIVersion}}' 2>/dev/null; }
api_at_least() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -1) == "$1" ]]; }
has_compose_v2() { [[ $(docker compose version --short 2>/dev/null) =~ ^v?[2-9] ]]; }
has_buildx() { docker buildx version >/dev/null 2>&1; }

# find_foreign : succeeds when an engine that is not ours answers where the caller's docker points; sets its api.
find_foreign() {
  [[ -n $(command -v docker) && ${DOCKER_HOST:-} != "$engine_socket" ]] || return 1
  api=$(api_of) && [[ -n $api ]]
}

# find_ours : succeeds when our own engine answers; sets its api.
find_ours() {
  our_pid >/dev/null && api=$(DOCKER_HOST=$engine_socket PATH=$engine/root/usr/bin:$PATH api_of) && [[ -n $api ]]
}

# our_pid : the pid of our dockerd. A pidfile alone proves nothing: pids are reused, and a kill leaves the file behind.
our_pid() {
  local pid
  pid=$(cat "$engine/dockerd.pid" 2>/dev/null) || return 1
  tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qxF -- "--pidfile=$engine/dockerd.pid" || return 1
  echo "$pid"
}

# use_client : our docker client, compose and buildx, first in PATH.
use_client() {
  export DOCKER_CONFIG=$engine/config
  [[ :$PATH: == *:$engine/root/usr/bin:* ]] || export PATH=$engine/root/usr/bin:$PATH
}

use_ours() {
  export DOCKER_HOST=$engine_socket
  use_client
}

# use_foreign : the engine that answers already; only a client that lacks compose v2 or buildx is replaced.
use_foreign() {
  local host
  api_at_least 1.41 "$api" || die "the Docker Engine that answers speaks API $api; 1.41 is the least. Upgrade it, or stop it so that the testbed starts its own"
  host=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)}
  export DOCKER_HOST=${host:-unix:///var/run/docker.sock}
  has_compose_v2 && has_buildx && return 0
  need_client
  use_client
}

# print_env : the lines a caller evals.
print_env() {
  local name
  for name in DOCKER_HOST DOCKER_CONFIG PATH; do
    [[ -z ${!name:-} ]] || printf 'export %s=%q\n' "$name" "${!name}"
  done
}

# --- our own ---

# need_client : the packages are unpacked in the cache. The stamp names their list, so that a changed list unpacks anew.
need_client() {
  local stamp=$engine/root/.packages list debs
  list="trixie ${engine_packages[*]}"
  if [[ $(cat "$stamp" 2>/dev/null) != "$list" ]]; then
    need_root "unpacking the engine"
    rm -rf "$engine/root.new"
    mkdir -p "$engine/root.new"
    need_world trixie
    mkdir -p "$cache/apt/trixie/single"
    (
      cd "$cache/apt/trixie/single"
      rm -f ./*.deb
      in_world trixie apt-get -qq download "${engine_packages[@]}" >&2
    ) || die "the engine's packages could not be fetched"
    debs=("$cache/apt/trixie/single"/*.deb)
    printf '%s\0' "${debs[@]}" | xargs -0 -P2 -I{} dpkg-deb -x {} "$engine/root.new"
    rm -f "${debs[@]}"
    echo "$list" >"$engine/root.new/.packages"
    rm -rf "$engine/root"
    mv "$engine/root.new" "$engine/root"
  fi
  mkdir -p "$engine/config/cli-plugins"
  [[ -e $engine/config/config.json ]] || echo '{}' >"$engine/config/config.json"
  ln -sf "$engine"/root/usr/libexec/docker/cli-plugins/* "$engine/config/cli-plugins/"
}

# default_mtu : that of the default route's device. A larger one in containers stalls every large download.
default_mtu() {
  local device
  device=$(ip -o route show default 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p' | head -1)
  cat "/sys/class/net/${device:-none}/mtu" 2>/dev/null || echo 1500
}

# clear_leftovers : what a killed engine leaves behind. Only after its last shim is gone: as long as one lives,
# its containers live too, and the new dockerd takes them over and stops them properly.
clear_leftovers() {
  local point pid
  rm -f "$engine/dockerd.pid" "$engine/docker.sock"
  pgrep -f -- "containerd-shim.* -address $engine/exec/" >/dev/null && return 0
  # Processes of containers that lost their shim: a database among them would hold its data folder's lock for ever.
  find "$engine/data/containers" -mindepth 1 -maxdepth 1 -printf "/docker/%f\n" >"$engine/containers" 2>/dev/null || true
  { grep -lsFf "$engine/containers" /proc/[0-9]*/cgroup || true; } | cut -d/ -f3 |
    while read -r pid; do kill -9 "$pid" 2>/dev/null || true; done
  awk -v under="$engine/" 'index($5, under) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
    while read -r point; do umount -l "$point" 2>/dev/null || true; done
  rm -rf "$engine/exec"
}

start_ours() {
  local mtu begun
  need_root "starting a Docker Engine"
  need_tools runc:runc iptables:iptables tini-static:tini ip:iproute2 pgrep:procps
  need_client
  need_cgroups
  clear_leftovers
  mkdir -p "$engine/bin" "$engine/data"
  ln -sf "$(command -v runc)" "$engine/bin/runc"
  # What `init: true` puts into a container: static, because the container's own libc may be any.
  ln -sf "$(command -v tini-static)" "$engine/bin/docker-init"
  mtu=$(default_mtu)
  begun=$(now_ms)
  : >"$engine/dockerd.log"
  # --mtu is for the default bridge alone; compose's networks take theirs from --default-network-opt.
  PATH=$engine/bin:$engine/root/usr/bin:$engine/root/usr/sbin:$PATH detach "$engine/dockerd.log" dockerd \
    --host="$engine_socket" --pidfile="$engine/dockerd.pid" --data-root="$engine/data" --exec-root="$engine/exec" \
    --mtu="$mtu" --default-network-opt=bridge=com.docker.network.driver.mtu="$mtu"
  until find_ours; do
    if (($(now_ms) - begun > 60000)) || { (($(now_ms) - begun > 3000)) && ! our_pid >/dev/null; }; then
      tail -15 "$engine/dockerd.log" >&2
      die "the engine did not start; its log is $engine/dockerd.log"
    fi
    sleep 0.1
  done
}

stop_ours() {
  local pid begun
  if pid=$(our_pid); then
    kill "$pid"
    begun=$(now_ms)
    while our_pid >/dev/null; do
      (($(now_ms) - begun < 45000)) || { say "the engine does not stop, killing it"; kill -9 "$pid"; sleep 1; break; }
      sleep 0.1
    done
  fi
  [[ ! -d $engine ]] || clear_leftovers
}
