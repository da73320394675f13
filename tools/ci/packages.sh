#!/usr/bin/env bash
# Installs, from the machine's own Debian mirror, the programs that the test tiers look for.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends \
  ca-certificates curl git \
  redis-server chromium \
  python3 python3-grpcio python3-protobuf

# The tests start servers of their own; the ones that Debian starts would only be in the way.
if command -v systemctl >/dev/null && systemctl is-active --quiet redis-server; then
  systemctl disable --now redis-server
fi
