#!/bin/bash
# run.sh SECONDS: builds the fuzz targets with clang and runs each for so long.
# New inputs go to out/fuzz/<target>, on top of the seeds in testdata. The last
# line is `N passed, N failed`; a failure leaves its input in out/fuzz.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
targets=(event_json id journal log_line manifest)

# Of its own, since another compiler makes Bazel configure all anew.
base=${KINORA_FUZZ_OUTPUT_BASE:-$HOME/.cache/kinora-bazel-fuzz}
fuzz_bazel() {
  CC=clang-14 bazel --output_base="$base" "$@" --config=fuzz
}

labels=()
for target in "${targets[@]}"; do
  labels+=("//tests/fuzz:${target}_fuzzer")
done
fuzz_bazel build "${labels[@]}" || exit 1
bin=$(fuzz_bazel info bazel-bin 2>/dev/null)

passed=0 failed=0
for target in "${targets[@]}"; do
  mkdir -p "out/fuzz/$target"
  printf '== %s\n' "$target"
  if "$bin/tests/fuzz/${target}_fuzzer" -max_total_time="$seconds" \
    -max_len=4096 -print_final_stats=1 -artifact_prefix="out/fuzz/$target-" \
    "out/fuzz/$target" "tests/fuzz/testdata/$target" 2>"out/fuzz/$target.log"
  then
    passed=$((passed + 1))
    grep -E '^stat::(number_of_executed_units|new_units_added)' \
      "out/fuzz/$target.log"
  else
    failed=$((failed + 1))
    tail -n 30 "out/fuzz/$target.log"
  fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
