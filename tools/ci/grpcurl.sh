#!/usr/bin/env bash
# Builds grpcurl, one of the clients that the interop tests run, where there is none. Needs Go; see go.sh.
set -euo pipefail

if command -v grpcurl >/dev/null; then
  grpcurl -version
  exit 0
fi
GOBIN=/usr/local/bin go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3
