# shellcheck shell=bash
# Progress and failure. Everything goes to stderr: stdout belongs to the lines a caller evals.

say() { printf 'testbed: %s\n' "$*" >&2; }

die() {
  printf 'testbed: error: %s\n' "$*" >&2
  exit 1
}

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# step NAME COMMAND… : runs the command and says how many seconds it took.
# Call it as a plain command, never in a condition: bash would then ignore errors inside.
step() {
  local name=$1 start took
  shift
  start=$(now_ms)
  "$@"
  took=$(($(now_ms) - start))
  say "$(printf '%-34s %5d.%d s' "$name" $((took / 1000)) $((took % 1000 / 100)))"
}
