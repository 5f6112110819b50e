# shellcheck shell=bash
# Containers need cgroup controllers. A machine without systemd may have none mounted, or only some, of v1 or v2.

need_cgroups() {
  local root=/sys/fs/cgroup controller
  [[ -e $root/cgroup.controllers ]] && return 0 # v2, all of them
  if ! mountpoint -q "$root"; then
    if mount -t cgroup2 cgroup2 "$root" 2>/dev/null; then
      grep -qw memory "$root/cgroup.controllers" && return 0
      umount "$root" # the kernel keeps its controllers on v1
    fi
    mount -t tmpfs -o uid=0,gid=0,mode=0755 cgroup "$root"
  fi
  while read -r controller; do
    mountpoint -q "$root/$controller" && continue
    mkdir -p "$root/$controller"
    mount -t cgroup -o "$controller" cgroup "$root/$controller" 2>/dev/null || rmdir "$root/$controller" 2>/dev/null || true
  done < <(awk '!/^#/ && $4 == 1 { print $1 }' /proc/cgroups)
  mountpoint -q "$root/memory" || say "no memory cgroup: limits of containers will not be enforced"
}
