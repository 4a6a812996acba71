#!/bin/bash
# run.sh: every lint gate, also after one failed. Exits 1 if one did.
set -u
cd "$(dirname "$0")/../.."

failed=()

# gate NAME COMMAND...
gate() {
  local name=$1 start=$SECONDS
  shift
  printf '== lint: %s\n' "$name"
  "$@" || failed+=("$name")
  printf '== lint: %s took %d s\n' "$name" $((SECONDS - start))
}

sources() {
  git ls-files -z -co --exclude-standard -- "$@"
}

formatted() {
  sources '*.cc' '*.h' '*.proto' |
    xargs -0 -r clang-format-14 --dry-run --Werror
}

# Compares the protos with the image of the last release, once there is one.
protos() {
  local buf=node_modules/.bin/buf
  (cd proto && "$buf" lint) || return 1
  [ ! -e proto/released.binpb ] ||
    (cd proto && "$buf" breaking --against released.binpb)
}

gate format formatted
gate layers bazel/lint/layers.sh
gate protos protos
gate clang-tidy bazel build --config=lint //...

if [ ${#failed[@]} -ne 0 ]; then
  printf 'lint failed: %s\n' "${failed[*]}"
  exit 1
fi
echo 'lint passed'
