#!/bin/bash
# clang_tidy.sh REPORT CONFIG SOURCE FLAG...
# Lints SOURCE; prints what clang-tidy found, and nothing if that is nothing.
set -u
report=$1 config=$2 source=$3
shift 3
if ! clang-tidy-14 --quiet --config-file="$config" "$source" -- "$@" \
  >"$report" 2>&1; then
  sed "s|$PWD/||g" "$report" | grep -v -E ' generated\.$|^Error while'
  exit 1
fi
