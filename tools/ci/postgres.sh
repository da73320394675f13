#!/usr/bin/env bash
# Installs Postgres with pgvector. Debian 12 has no package of pgvector: there it is built from the source package of
# the release after it. Newer releases have the package.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive
scratch=$(mktemp -d)
source_list=/etc/apt/sources.list.d/sluice-pgvector-source.list
trap 'rm -rf "$scratch" "$source_list"' EXIT

apt-get update -qq
version=$(apt-cache depends postgresql | sed -n 's/.*Depends: postgresql-\([0-9]\+\)$/\1/p')
pg_config=/usr/lib/postgresql/$version/bin/pg_config

if [ -e "/usr/share/postgresql/$version/extension/vector.control" ]; then
  echo "pgvector for Postgres $version is installed already"
  exit 0
fi
apt-get install -y -qq --no-install-recommends "postgresql-$version"
if apt-cache show "postgresql-$version-pgvector" >/dev/null 2>&1; then
  apt-get install -y -qq --no-install-recommends "postgresql-$version-pgvector"
  exit 0
fi
apt-get install -y -qq --no-install-recommends "postgresql-server-dev-$version" gcc libc6-dev make dpkg-dev

# The mirror is the one this machine already uses. Only sources are listed, so that no program of the other release can
# be installed by mistake.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" 'Component: main' | sort -u | head -n 1)
echo "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$source_list"
apt-get update -qq
cd "$scratch"
apt-get source -qq --download-only pgvector
rm "$source_list"
apt-get update -qq

# apt has checked the signature of the list and the checksums in it; dpkg-source may lack the key of the uploader.
dpkg-source --no-check -x ./pgvector_*.dsc source
# OPTFLAGS: without -march=native, so that the result also runs where a cached image of this machine is started.
make -s -C source PG_CONFIG="$pg_config" OPTFLAGS="" with_llvm=no
make -s -C source install PG_CONFIG="$pg_config" with_llvm=no
