// What a process counts of itself, rendered in the text format of Prometheus.
//
// A metric is a name and its members, one for each set of labels. Names follow
// Prometheus: `kinora_<part>_<what>_<unit>`, counters end in `_total`. Labels
// have few values by nature (a method, a producer, an outcome), never ids of
// movies or runs.

#ifndef KINORA_COMMON_TELEMETRY_METRICS_H_
#define KINORA_COMMON_TELEMETRY_METRICS_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

#include "common/threads/mutex.h"

namespace kinora {

// A number that only grows. Thread-safe.
class Counter {
 public:
  void Add(int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// A number that comes and goes. Thread-safe.
class Gauge {
 public:
  void Add(int64_t n) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_ = 0;
};

// Counts observations by size. Thread-safe; a reader may see an observation in
// its bucket before it is in the sum.
class Histogram {
 public:
  // Upper bounds of the buckets, ascending; one without a bound follows.
  explicit Histogram(absl::Span<const double> bounds);

  void Observe(double value);
  // In seconds.
  void Observe(absl::Duration duration) {
    Observe(absl::ToDoubleSeconds(duration));
  }

  absl::Span<const double> bounds() const { return bounds_; }
  // Observations in the bucket alone; `bucket` may be bounds().size().
  int64_t count(size_t bucket) const;
  int64_t count() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<int64_t>> counts_;
  std::atomic<double> sum_ = 0;
};

// Bounds in seconds for what a server does itself, and for work that it waits
// for.
extern const absl::Span<const double> kLatencySeconds;
extern const absl::Span<const double> kWorkSeconds;
// Bounds for numbers of things that are done together.
extern const absl::Span<const double> kBatchSizes;

// Names with their values, in the order in which they are rendered.
using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Thread-safe. What it hands out lives as long as the registry; a component
// asks once and keeps the reference where it counts often.
class MetricsRegistry {
 public:
  // Members of one metric. Beyond it all further ones are one, whose labels
  // are `other`: a label that somebody else decides about must not grow the
  // process or the time series of whoever scrapes it.
  static constexpr size_t kMaxMembers = 1000;

  // The member of a metric, made at the first call. `help` is one line, that of
  // the first call counts. REQUIRES: a name is used for one kind only, always
  // with the same label names and bounds.
  Counter& GetCounter(absl::string_view name, absl::string_view help,
                      const MetricLabels& labels = {});
  Gauge& GetGauge(absl::string_view name, absl::string_view help,
                  const MetricLabels& labels = {});
  Histogram& GetHistogram(absl::string_view name, absl::string_view help,
                          absl::Span<const double> bounds,
                          const MetricLabels& labels = {});

  // All of it, metrics by kind and name, members by labels:
  //   # HELP kinora_rpc_calls_total Calls served.
  //   # TYPE kinora_rpc_calls_total counter
  //   kinora_rpc_calls_total{method="...",code="OK"} 3
  std::string RenderPrometheus() const;

 private:
  template <typename Member>
  struct Metric {
    std::string help;
    std::map<std::string, std::unique_ptr<Member>> members;  // by labels
  };
  template <typename Member>
  using Metrics = std::map<std::string, Metric<Member>, std::less<>>;

  template <typename Member, typename... Args>
  static Member& Find(absl::string_view name, absl::string_view help,
                      const MetricLabels& labels, Metrics<Member>* metrics,
                      Args... args);

  mutable Mutex mu_;
  Metrics<Counter> counters_ ABSL_GUARDED_BY(mu_);
  Metrics<Gauge> gauges_ ABSL_GUARDED_BY(mu_);
  Metrics<Histogram> histograms_ ABSL_GUARDED_BY(mu_);
};

// The registry of this process, which mains hand to what they build.
MetricsRegistry& ProcessMetrics();

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_METRICS_H_
