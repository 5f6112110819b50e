# shellcheck shell=bash
# One-node Ceph with its S3 gateway, from Debian sid: the real S3 server of the testbed (see ceph.sh).

suite=sid
packages=(radosgw ceph-mon ceph-osd ceph-common openssl curl)
files=(entry/ceph.sh)
pull=no

build() {
  new_tree
  rm -rf "$tree"/usr/{include,sbin/ceph-volume*,lib/python3/dist-packages/ceph_volume} "$tree"/usr/bin/ceph-{bluestore-tool,dencoder,erasure-code-tool,objectstore-tool}
  install -m755 "$images/entry/ceph.sh" "$tree/usr/local/bin/docker-entrypoint.sh"
  import_tree "ENV PATH=$default_path LANG=C.UTF-8 CEPH_VERSION=$(upstream radosgw)" 'ENTRYPOINT ["docker-entrypoint.sh"]' \
    'VOLUME /var/lib/ceph' 'EXPOSE 7480 7443' 'HEALTHCHECK --interval=1s --start-period=180s --retries=3 CMD test -e /run/s3-ready'
}
