# shellcheck shell=bash
# An app that keeps its state in a SQLite database, busy all the time, as a user who is not root.

base=node:26-trixie-slim
pull=no
files=(sqlite-app/Dockerfile sqlite-app/app.mjs)

build() { build_from "$images/sqlite-app"; }
