#!/usr/bin/env bash
# Measures against a reference in the same run. Without a name it lists them.
# The last lines are, one a figure: bench NAME: figure=VALUE goal>=VALUE
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
CGO_ENABLED=0 go build -o "$work/bench" ./bench
CGO_ENABLED=0 go build -o "$work/diwan" ./cmd/diwan
# What was just built must not be on its way to the disk while the disk is measured.
sync
"$work/bench" -program "$work/diwan" -work "$work" "$@"
