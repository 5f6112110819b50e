#!/usr/bin/env bash
# npm test: brings up whatever is missing, then runs the checks and the tests.
#   unit     checks and unit tests only, no Engine needed
#   (none)   and every contract and end-to-end test on the newest versions
#   all      and every version and fault
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/tools.sh"
mode=${1:-default}

install_packages
install_programs
npm run --silent check

tests=('src/**/*.test.ts' 'scripts/**/*.test.ts')
if [ "$mode" != unit ]; then
  groups=(core databases s3)
  [ "$mode" = all ] && groups+=(versions)
  exports=$(testbed/up.sh "${groups[@]}")
  eval "$exports"
  export LIFEBOAT_TEST_IMAGE=lifeboat:test
  build_image "$LIFEBOAT_TEST_IMAGE"
  tests+=('test/**/*.test.ts')
  [ "$mode" = all ] && export LIFEBOAT_TEST_ALL=1
fi
# A test that hangs is named in the end; none that works takes near as long.
exec node --test --test-timeout=2400000 --test-concurrency=2 --test-reporter=spec "${tests[@]}"
