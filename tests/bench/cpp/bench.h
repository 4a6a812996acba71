// What the benchmark programs share: a stopwatch, closed loops of callers, and
// figures printed as one JSON object on one line, which tests/bench reads. A
// program measures one thing once; repeating, pairing and judging is the
// harness's.

#ifndef KINORA_TESTS_BENCH_CPP_BENCH_H_
#define KINORA_TESTS_BENCH_CPP_BENCH_H_

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace kinora {

// Ends the program with the error on standard error: a benchmark that failed
// has no figures.
[[noreturn]] void FailBench(const absl::Status& status);

inline void Must(const absl::Status& status) {
  if (!status.ok()) FailBench(status);
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) FailBench(value.status());
  return *std::move(value);
}

class Stopwatch {
 public:
  Stopwatch();
  double Seconds() const;

 private:
  int64_t start_nanos_;
};

// Figures by name, printed sorted.
using Figures = absl::btree_map<std::string, double>;
void PrintFigures(const Figures& figures);

// One unit of work by one caller; returns how many things it did.
using Loop = std::function<int64_t()>;

struct LoopTimes {
  absl::Duration warm_up = absl::Milliseconds(300);
  absl::Duration measured = absl::Seconds(2);
};

// Runs `callers` threads, each of which repeats the loop that `make(caller)`
// gave it without a pause, and returns
//   rate                things per second within the measured time,
//   p50_us, p99_us      how long one round of a loop took,
//   things              how many there were in all, with the warm-up.
Figures RunClosedLoops(int callers, const LoopTimes& times,
                       absl::FunctionRef<Loop(int caller)> make);

}  // namespace kinora

#endif  // KINORA_TESTS_BENCH_CPP_BENCH_H_
