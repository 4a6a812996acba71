#!/bin/bash
# run.sh [--quick] [--pairs N] [GROUP...]: the benchmarks beside their peers,
# in one run. Needs `make build`. See README.md.
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/bench/setup.sh
bazel build -c opt //tests/bench/cpp/... //services/store:kinora-store
programs=$(bazel info -c opt bazel-bin 2>/dev/null)
mkdir -p out/bench/bin
for label in $(bazel query 'kind(cc_binary, //tests/bench/cpp/...)' 2>/dev/null) \
  //services/store:kinora-store; do
  file=${label#//}
  install -m 755 "$programs/${file%:*}/${file#*:}" out/bench/bin/
done
exec .venv/bin/python tests/bench "$@"
