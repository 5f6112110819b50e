#!/bin/sh
# Start command of the FalkorDB image. REDIS_ARGS and FALKORDB_ARGS are split into words, as in the official image.
set -eu

# shellcheck disable=SC2086
exec redis-server --dir "$FALKORDB_DATA_PATH" --protected-mode no ${REDIS_ARGS:-} --loadmodule "$FALKORDB_BIN_PATH/falkordb.so" ${FALKORDB_ARGS:-}
