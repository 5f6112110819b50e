#!/usr/bin/env bash
# status.sh : what is up. Starts nothing; exit code 1 when there is no engine.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in say cache; do
  # shellcheck source=/dev/null
  source "$here/lib/$part.sh"
done
up=0
"$here/engine.sh" status || up=1
if ((up == 0)); then
  echo "images"
  "$here/image.sh" --list | sed 's/^/          /'
fi
"$here/ceph.sh" status || true
echo "cache     $cache, $(du -sh "$cache" 2>/dev/null | cut -f1 || true)"
exit "$up"
