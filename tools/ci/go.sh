#!/usr/bin/env bash
# Fills Go's module cache with what examples/go needs, so that its test runs without a network. Installs Go where there
# is none.
set -euo pipefail

if ! command -v go >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends golang-go
fi
cd "$(dirname "$0")/../../examples/go"
# An older Go fetches the version that go.mod names by itself.
go version
go mod download
