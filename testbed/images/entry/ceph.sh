#!/bin/bash
# Starts a new, empty one-node Ceph: monitor and object store on loopback, S3 gateway on every address of the container,
# 7480 for http and 7443 for https. What an earlier start stored is thrown away. Ready when /run/s3-ready exists.
# S3_ACCESS_KEY and S3_SECRET_KEY name the one account, S3_NAMES the names for the certificate (as in subjectAltName).
set -euo pipefail

state=/var/lib/ceph/testbed
export CEPH_CONF=$state/ceph.conf
cluster=11111111-2222-3333-4444-555555555555
rm -rf /run/s3-ready "$state"
mkdir -p "$state"/{mon,osd,rgw,run}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=lifeboat testbed' \
  -addext 'basicConstraints=critical,CA:TRUE' -addext "subjectAltName=$S3_NAMES" -keyout "$state/key.pem" -out "$state/ca.pem" 2>/dev/null
cat "$state/key.pem" "$state/ca.pem" >"$state/gateway.pem"

# cephx: without authentication the gateway retries for ever. rgw_sigv4_insecure: clients that do not sign the body
# (restic, presigned uploads) are refused over plain http otherwise. No manager daemon: nothing here needs one.
# paxos_*: a lone monitor has nobody to wait for; the gateway makes a dozen pools, at a second each by default.
cat >"$CEPH_CONF" <<CONF
[global]
fsid = $cluster
keyring = $state/keyring
mon_host = v2:127.0.0.1:3300
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
run_dir = $state/run
admin_socket = $state/run/\$name.\$pid.asok
pid_file = $state/run/\$name.pid
log_file = $state/run/\$name.log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 4
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
mon_data_avail_crit = 1
mon_data = $state/mon
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
[osd]
osd_data = $state/osd
osd_objectstore = bluestore
bluestore_block_size = ${OSD_BYTES:-21474836480}
osd_memory_target = 1073741824
[client]
rgw_data = $state/rgw
rgw_frontends = beast endpoint=0.0.0.0:7480 ssl_endpoint=0.0.0.0:7443 ssl_certificate=$state/gateway.pem
rgw_sigv4_insecure = true
rgw_crypt_require_ssl = false
rgw_dns_name = localhost
CONF

# Nothing to save: end at once, also while starting.
trap 'kill -9 $(jobs -p) 2>/dev/null; exit 0' TERM INT

# daemon NAME COMMAND… : a daemon in the foreground of its own job; what it says is kept apart.
daemon() { "${@:2}" -f >"$state/run/$1.out" 2>&1 & }

# until_true COMMAND… : for a minute at most.
until_true() {
  local begun=$SECONDS
  until "$@" >/dev/null 2>&1; do
    ((SECONDS - begun < 60)) || { tail -n 20 "$state"/run/*.out; echo "gave up waiting for: $*"; exit 1; } >&2
    sleep 0.1
  done
}

key() { ceph-authtool "$state/keyring" --gen-key -n "$@" >/dev/null; }
ceph-authtool --create-keyring "$state/keyring" --gen-key -n mon. --cap mon 'allow *' >/dev/null
key client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
key osd.0 --cap mon 'allow *' --cap osd 'allow *'
monmaptool --create --addv a '[v2:127.0.0.1:3300]' --fsid "$cluster" "$state/monmap" >/dev/null
ceph-mon --mkfs -i a --monmap "$state/monmap" --keyring "$state/keyring"
daemon mon ceph-mon -i a

# The first command waits for the monitor by itself.
osd=$(</proc/sys/kernel/random/uuid)
timeout 60 ceph --connect-timeout 50 osd new "$osd" >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd" --no-mon-config >"$state/run/mkfs.out" 2>&1
daemon osd ceph-osd -i 0
osd_is_up() { timeout 10 ceph osd stat | grep -q '1 up'; }
until_true osd_is_up

daemon rgw radosgw -n client.admin
until_true curl -fs -o /dev/null http://127.0.0.1:7480/
timeout 60 radosgw-admin user create --uid=testbed --display-name=testbed --access-key="$S3_ACCESS_KEY" --secret-key="$S3_SECRET_KEY" >/dev/null 2>&1
touch /run/s3-ready
echo "S3 is ready"

wait -n
tail -n 20 "$state"/run/*.out >&2
echo "a daemon of the cluster ended" >&2
exit 1
