#!/bin/bash
# test.sh: all tests, once. Runs every part also after one failed; the last
# line is `N passed, N failed`, the exit code 0 only if nothing failed.
set -u
cd "$(dirname "$0")/../.."

reports=out/test
rm -rf "$reports"
mkdir -p "$reports"

# part NAME COMMAND...: runs it, says how long it took, returns its exit code.
part() {
  local name=$1 start=$SECONDS code
  shift
  printf '== %s\n' "$name"
  "$@"
  code=$?
  printf '== %s took %d s\n' "$name" $((SECONDS - start))
  return $code
}

part asan bazel test --config=asan --build_tests_only --keep_going \
  --build_event_json_file="$reports/asan.bep.json" //...
part tsan bazel test --config=tsan --keep_going \
  --build_event_json_file="$reports/tsan.bep.json" //...
part stubs make --no-print-directory python &&
  part python .venv/bin/python -m pytest -q -p no:cacheprovider \
    --junitxml="$reports/python.xml" -c clients/python/pyproject.toml \
    clients/python
# Without fresh binaries the end-to-end tests leave no report: one failure.
part build make --no-print-directory build &&
  part e2e .venv/bin/python -m pytest -q -p no:cacheprovider \
    --junitxml="$reports/e2e.xml" tests/e2e

/usr/bin/python3 bazel/ci/report.py asan="$reports/asan.bep.json" \
  tsan="$reports/tsan.bep.json" python="$reports/python.xml" \
  e2e="$reports/e2e.xml"
