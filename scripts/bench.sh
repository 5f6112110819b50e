#!/usr/bin/env bash
# npm run bench [-- [--small] [--rounds N] [name…]]: brings up whatever is missing, then compares Lifeboat with plain commands.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"

install_packages
install_programs
exports=$(testbed/up.sh core databases s3)
eval "$exports"
export LIFEBOAT_TEST_IMAGE=${LIFEBOAT_BENCH_IMAGE:-lifeboat:bench}
[ -n "${LIFEBOAT_BENCH_IMAGE:-}" ] || build_image "$LIFEBOAT_TEST_IMAGE"
exec node bench/support/main.ts "$@"
