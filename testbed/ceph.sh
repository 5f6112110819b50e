#!/usr/bin/env bash
# ceph.sh up|down|status : a real S3 server, one-node Ceph in a container of the testbed's engine.
# up      starts it when it is not running, empty each time; prints `export` lines to eval. Reached from this machine on
#         loopback and from containers on the bridge's gateway; not from any other machine
# down    removes the container and all it stored
# status  says where it listens; exit code 1 when it does not run
# LIFEBOAT_TESTBED_S3_PORT and LIFEBOAT_TESTBED_S3_TLS_PORT choose other ports than 7480 and 7443.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in say cache apt engine; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done

container=lifeboat-testbed-s3
image=lifeboat-testbed/ceph
port=${LIFEBOAT_TESTBED_S3_PORT:-7480}
tls_port=${LIFEBOAT_TESTBED_S3_TLS_PORT:-7443}
access_key=lifeboat-testbed
secret_key=lifeboat-testbed-secret
ca=$cache/s3-ca.pem

health() { docker container inspect --format '{{.State.Health.Status}}' "$container" 2>/dev/null || echo gone; }
gateway() { docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' bridge; }

# published PORT : where a port of the container is reached from this machine.
published() { docker port "$container" "$1" | sed -n 's/^127\.0\.0\.1/127.0.0.1/p'; }

print_s3() {
  local address
  address=$(published 7480)
  printf 'export %s=%q\n' \
    LIFEBOAT_TESTBED_S3_ENDPOINT "http://$address" \
    LIFEBOAT_TESTBED_S3_TLS_ENDPOINT "https://$(published 7443)" \
    LIFEBOAT_TESTBED_S3_CONTAINER_ENDPOINT "http://$(gateway):${address##*:}" \
    LIFEBOAT_TESTBED_S3_REGION us-east-1 \
    LIFEBOAT_TESTBED_S3_ACCESS_KEY "$access_key" \
    LIFEBOAT_TESTBED_S3_SECRET_KEY "$secret_key" \
    LIFEBOAT_TESTBED_S3_CA "$ca"
}

start() {
  local gateway begun=$SECONDS
  gateway=$(gateway)
  docker rm -fv "$container" >/dev/null 2>&1 || true
  docker run -d --name "$container" -p "127.0.0.1:$port:7480" -p "127.0.0.1:$tls_port:7443" -p "$gateway:$port:7480" -p "$gateway:$tls_port:7443" \
    -e "S3_ACCESS_KEY=$access_key" -e "S3_SECRET_KEY=$secret_key" \
    -e "S3_NAMES=DNS:localhost,DNS:host.docker.internal,DNS:$container,IP:127.0.0.1,IP:$gateway" "$image" >/dev/null
  until [[ $(health) == healthy ]]; do
    if ((SECONDS - begun > 240)) || [[ $(docker container inspect --format '{{.State.Running}}' "$container") != true ]]; then
      docker logs --tail 30 "$container" >&2
      die "the S3 server did not start"
    fi
    sleep 0.2
  done
  docker cp -q "$container:/var/lib/ceph/testbed/ca.pem" "$ca"
}

up() {
  local lines
  lines=$("$here/engine.sh" up)
  eval "$lines"
  if [[ $(health) != healthy ]]; then
    "$here/image.sh" "$image"
    step "s3 server" start
  fi
  print_s3
}

# engine_or_none : points docker at the engine that runs; starts none.
engine_or_none() {
  if find_foreign; then use_foreign; elif find_ours; then use_ours; else return 1; fi
}

down() {
  engine_or_none || return 0
  [[ $(health) == gone ]] || docker rm -fv "$container" >/dev/null
  rm -f "$ca"
}

status() {
  if engine_or_none && [[ $(health) == healthy ]]; then
    echo "s3        $(published 7480) (http), $(published 7443) (https)"
  else
    echo "s3        none (testbed/ceph.sh up)"
    return 1
  fi
}

case ${1:-} in
up) with_lock s3 up ;;
down) with_lock s3 down ;;
status) status ;;
*) die "usage: ceph.sh up|down|status" ;;
esac
