#!/usr/bin/env bash
# down.sh : stops what up.sh started, and nothing else. Images and downloads stay in the cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/ceph.sh" down
"$here/engine.sh" down
