#include "tests/bench/cpp/bench.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/clock.h"

namespace kinora {
namespace {

// What one caller saw.
struct Tally {
  int64_t things = 0;
  int64_t measured_things = 0;
  std::vector<float> round_us;
};

struct Window {
  int64_t start_nanos;
  int64_t end_nanos;
};

Tally RunLoop(const Loop& loop, const Window& window) {
  Clock& clock = RealClock();
  Tally tally;
  int64_t before = clock.MonotonicNanos();
  while (before < window.end_nanos) {
    const int64_t things = loop();
    const int64_t after = clock.MonotonicNanos();
    tally.things += things;
    if (after >= window.start_nanos && after < window.end_nanos) {
      tally.measured_things += things;
      tally.round_us.push_back(static_cast<float>(after - before) / 1e3F);
    }
    before = after;
  }
  return tally;
}

double Quantile(std::vector<float>& values, double quantile) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::ptrdiff_t>(
      quantile * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<size_t>(at)];
}

}  // namespace

void FailBench(const absl::Status& status) {
  std::cerr << status.ToString() << std::endl;
  std::exit(1);
}

Stopwatch::Stopwatch() : start_nanos_(RealClock().MonotonicNanos()) {}

double Stopwatch::Seconds() const {
  return static_cast<double>(RealClock().MonotonicNanos() - start_nanos_) / 1e9;
}

void PrintFigures(const Figures& figures) {
  std::string line;
  for (const auto& [name, value] : figures) {
    char number[32];
    std::snprintf(number, sizeof(number), "%.10g", value);
    absl::StrAppend(&line, line.empty() ? "{\"" : ", \"", name, "\": ", number);
  }
  std::cout << line << "}" << std::endl;
}

Figures RunClosedLoops(int callers, const LoopTimes& times,
                       absl::FunctionRef<Loop(int caller)> make) {
  std::vector<Loop> loops;
  for (int i = 0; i < callers; ++i) loops.push_back(make(i));
  Window window;
  window.start_nanos = DeadlineAfter(RealClock(), times.warm_up);
  window.end_nanos = DeadlineAfter(RealClock(), times.warm_up + times.measured);
  std::vector<Tally> tallies(loops.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < loops.size(); ++i) {
    threads.emplace_back([&tally = tallies[i], &loop = loops[i], &window] {
      tally = RunLoop(loop, window);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Tally sum;
  for (const Tally& tally : tallies) {
    sum.things += tally.things;
    sum.measured_things += tally.measured_things;
    sum.round_us.insert(sum.round_us.end(), tally.round_us.begin(),
                        tally.round_us.end());
  }
  return {{"things", static_cast<double>(sum.things)},
          {"rate", static_cast<double>(sum.measured_things) /
                       absl::ToDoubleSeconds(times.measured)},
          {"p50_us", Quantile(sum.round_us, 0.5)},
          {"p99_us", Quantile(sum.round_us, 0.99)}};
}

}  // namespace kinora
