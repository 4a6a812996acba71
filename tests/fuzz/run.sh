#!/bin/bash
# run.sh SECONDS: builds the fuzz targets with clang and runs each for so long.
# New inputs go to out/fuzz/<target>, on top of the seeds in testdata. The last
# line is `N passed, N failed`; a failure leaves its input in out/fuzz.
set -u
cd "$(dirname "$0")/../.."
seconds=$1
targets=(blueprint event_json id index_table journal json_schema ledger log_checkpoint log_line manifest revision_checkpoint run_record)

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

# Its output in out/fuzz/<target>.log, its exit code in out/fuzz/<target>.code.
fuzz() {
  local target=$1
  mkdir -p "out/fuzz/$target"
  "$bin/tests/fuzz/${target}_fuzzer" -max_total_time="$seconds" \
    -max_len=4096 -print_final_stats=1 -artifact_prefix="out/fuzz/$target-" \
    "out/fuzz/$target" "tests/fuzz/testdata/$target" 2>"out/fuzz/$target.log"
  echo $? >"out/fuzz/$target.code"
}

# As many at once as there are processors.
for target in "${targets[@]}"; do
  while [ "$(jobs -pr | wc -l)" -ge "$(nproc)" ]; do wait -n; done
  fuzz "$target" &
done
wait

passed=0 failed=0
for target in "${targets[@]}"; do
  printf '== %s\n' "$target"
  if [ "$(cat "out/fuzz/$target.code")" -eq 0 ]; then
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
