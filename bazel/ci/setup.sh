#!/bin/bash
# setup.sh: installs the Debian packages that are missing; nothing if none is.
set -eu

packages=(
  # Build.
  bazel-bootstrap bazel-rules-cc bazel-rules-java bazel-rules-proto g++
  pkg-config
  # Libraries.
  libabsl-dev libarchive-dev libcurl4-openssl-dev libgmock-dev
  libgoogle-perftools-dev libgrpc++-dev libgtest-dev libmicrohttpd-dev
  libprotobuf-dev libre2-dev libspdlog-dev libssl-dev libyaml-cpp-dev zlib1g-dev
  protobuf-compiler protobuf-compiler-grpc
  # Lint and fuzzing.
  clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev nodejs
  # Python and the film.
  python3-venv espeak-ng ffmpeg fonts-dejavu
)
# Node.js from elsewhere brings its own npm and conflicts with Debian's.
command -v npm >/dev/null || packages+=(npm)

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
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing Debian packages: ${missing[*]}"
if ! { "${root[@]}" apt-get update &&
  "${root[@]}" apt-get install -y --no-install-recommends "${missing[@]}"
} >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  exit 1
fi
