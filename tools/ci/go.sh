#!/usr/bin/env bash
# Fills Go's module cache with what examples/go and test/interop/go need, so that their tests run without a network.
# Installs Go where there is none.
set -euo pipefail

if ! command -v go >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends golang-go
fi
cd "$(dirname "$0")/../.."
for folder in examples/go test/interop/go; do
  # An older Go fetches the version that go.mod names by itself.
  go -C "$folder" version
  go -C "$folder" mod download
done
