#!/bin/bash
# layers.sh: what a source file may name, by where it lies (F: S1-60). Prints each line
# that breaks a rule with the reason, and exits 1 if there is one.
set -u
cd "$(dirname "$0")/../.."

found=0

# rule REASON PATTERN ALLOWED: no C++ file may match PATTERN (outside comments)
# unless its path matches ALLOWED. Both are extended regular expressions.
rule() {
  local reason=$1 pattern=$2 allowed=$3 hits
  hits=$(git ls-files -co --exclude-standard -- '*.cc' '*.h' |
    grep -v -E "$allowed" |
    xargs -r -d '\n' grep -H -n -E "$pattern" -- |
    grep -v -E '^[^:]+:[0-9]+: *(//|\*)')
  [ -z "$hits" ] && return
  found=1
  printf '%s:\n%s\n' "$reason" "$hits"
}

test='_test\.cc$|(^|/)tests?/|(^|/)testing/'

rule 'gRPC stays at the edge (services, clients, common/rpc, mains)' \
  '#include [<"](grpc|grpcpp)/|\.grpc\.pb\.h"' \
  "_service[a-z_]*\.(h|cc)$|^clients/|^common/rpc/|(^|/)[a-z_]*main\.cc$|^services/standalone/|$test"
rule 'locks are kinora::Mutex and its companions (common/threads/mutex.h)' \
  'absl::(Mutex|CondVar|Notification)|std::((recursive_|shared_)?(timed_)?mutex|condition_variable|lock_guard|unique_lock|scoped_lock|shared_lock)' \
  '^common/threads/mutex\.(h|cc)$'
rule 'time comes from a Clock (common/clock.h)' \
  'std::chrono::[a-z_]+::now\(|absl::Now\(|[^_a-zA-Z.>](time|gettimeofday|clock_gettime)\(' \
  '^common/clock\.cc$'
rule 'randomness comes from a Random (common/random.h)' \
  'std::(random_device|mt19937)|absl::BitGen|[^_a-zA-Z.>]s?rand\(|RAND_bytes\(' \
  '^common/random\.(h|cc)$'
rule 'the disk is behind a FileSystem (common/files/file_system.h)' \
  'std::filesystem|std::[io]?fstream|[^_a-zA-Z.>:]fopen\(' \
  "^common/files/[a-z_]*file_system[a-z_]*\.(h|cc)$|^clients/|$test"
rule 'the environment is read at the edge (F: S1-45): configuration, commands, mains' \
  'getenv\(|[^_a-zA-Z]environ[^_a-zA-Z]' \
  "^common/(child_command|config_file)\.cc$|^clients/|(^|/)[a-z_]*main\.cc$|$test"
rule 'clang 14, TSan or large inputs do not bear this (CONTRIBUTING.md)' \
  'std::regex|std::source_location|views::(filter|transform)|try_lock_for|atomic<std::shared_ptr|atomic_thread_fence' \
  '^$'

# everywhere REASON PATTERN: no tracked text file at all may match.
everywhere() {
  local hits
  hits=$(git ls-files -co --exclude-standard -- . ':!bazel/lint/layers.sh' |
    xargs -r -d '\n' grep -I -H -n -E "$2" -- 2>/dev/null)
  [ -z "$hits" ] && return
  found=1
  printf '%s:\n%s\n' "$1" "$hits"
}

everywhere 'a path of one machine' "$PWD/|/root/\.|/home/[a-z]+/"
everywhere 'a lock file that names a registry' '"resolved": *"http|--(extra-)?index-url'

generated=$(git ls-files | grep -E '\.pb\.(h|cc)$|_pb2(_grpc)?\.pyi?$')
if [ -n "$generated" ]; then
  found=1
  printf 'generated code is not committed:\n%s\n' "$generated"
fi

exit $found
