#!/bin/bash
# setup.sh: installs the peers that `make bench` measures against, as far as
# they are missing: from Debian, and from npm into peers/npm. No server of
# theirs is started or enabled here.
set -eu
cd "$(dirname "$0")"

if [ peers/npm/package-lock.json -nt peers/npm/node_modules/.package-lock.json ]; then
  (cd peers/npm && npm install --no-save --no-audit --no-fund --loglevel=error)
  touch peers/npm/node_modules/.package-lock.json
fi

packages=(curl make nginx-light ninja-build ostree postgresql-15 redis-server redis-tools util-linux)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "missing Debian packages: ${missing[*]} (install them as root)" >&2
    exit 1
  }
  root=(sudo)
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing Debian packages: ${missing[*]}"
# In run level 1 the packages start no service.
if ! { "${root[@]}" apt-get update &&
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y \
    --no-install-recommends "${missing[@]}"
} >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
