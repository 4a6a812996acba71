#include "common/telemetry/metrics.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

#include "common/json/json_writer.h"

namespace kinora {
namespace {

constexpr double kLatencyBounds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025,
                                     0.005,  0.01,    0.025,  0.05,  0.1,
                                     0.25,   0.5,     1,      2.5,   10};
constexpr double kWorkBounds[] = {0.005, 0.025, 0.1, 0.5, 1,   2.5, 5,
                                  10,    30,    60,  120, 300, 600, 1800};
constexpr double kBatchBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

// `a="1",b="2"`; empty for none.
std::string LabelText(const MetricLabels& labels) {
  std::string text;
  for (const auto& label : labels) {
    absl::StrAppend(
        &text, text.empty() ? "" : ",", label.first, "=\"",
        absl::StrReplaceAll(label.second,
                            {{"\\", "\\\\"}, {"\"", "\\\""}, {"\n", "\\n"}}),
        "\"");
  }
  return text;
}

std::string OtherText(MetricLabels labels) {
  for (auto& label : labels) label.second = "other";
  return LabelText(labels);
}

// With every digit that the number has.
std::string Number(double value) {
  std::string text;
  AppendJsonNumber(value, &text);
  return text;
}

void AppendHead(absl::string_view name, absl::string_view help,
                absl::string_view kind, std::string* out) {
  absl::StrAppend(out, "# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind,
                  "\n");
}

void AppendSample(absl::string_view name, absl::string_view labels,
                  absl::string_view value, std::string* out) {
  absl::StrAppend(out, name);
  if (!labels.empty()) absl::StrAppend(out, "{", labels, "}");
  absl::StrAppend(out, " ", value, "\n");
}

void AppendHistogram(absl::string_view name, absl::string_view labels,
                     const Histogram& histogram, std::string* out) {
  const std::string prefix =
      labels.empty() ? "" : absl::StrCat(std::string(labels), ",");
  int64_t below = 0;
  for (size_t i = 0; i <= histogram.bounds().size(); ++i) {
    below += histogram.count(i);
    const std::string bound =
        i < histogram.bounds().size() ? Number(histogram.bounds()[i]) : "+Inf";
    AppendSample(absl::StrCat(name, "_bucket"),
                 absl::StrCat(prefix, "le=\"", bound, "\""),
                 absl::StrCat(below), out);
  }
  AppendSample(absl::StrCat(name, "_sum"), labels, Number(histogram.sum()),
               out);
  // As the last bucket, whatever was observed since.
  AppendSample(absl::StrCat(name, "_count"), labels, absl::StrCat(below), out);
}

}  // namespace

const absl::Span<const double> kLatencySeconds = kLatencyBounds;
const absl::Span<const double> kWorkSeconds = kWorkBounds;
const absl::Span<const double> kBatchSizes = kBatchBounds;

Histogram::Histogram(absl::Span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

void Histogram::Observe(double value) {
  const auto bucket = static_cast<size_t>(
      std::lower_bound(bounds_.begin(), bounds_.end(), value) -
      bounds_.begin());
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  double sum = sum_.load(std::memory_order_relaxed);
  while (!sum_.compare_exchange_weak(sum, sum + value,
                                     std::memory_order_relaxed)) {
  }
}

int64_t Histogram::count(size_t bucket) const {
  return counts_[bucket].load(std::memory_order_relaxed);
}

int64_t Histogram::count() const {
  int64_t count = 0;
  for (size_t i = 0; i < counts_.size(); ++i) count += this->count(i);
  return count;
}

template <typename Member, typename... Args>
Member& MetricsRegistry::Find(absl::string_view name, absl::string_view help,
                              const MetricLabels& labels,
                              Metrics<Member>* metrics, Args... args) {
  auto metric = metrics->find(name);
  if (metric == metrics->end()) {
    metric = metrics->emplace(std::string(name), Metric<Member>()).first;
    metric->second.help = std::string(help);
  }
  auto& members = metric->second.members;
  std::string text = LabelText(labels);
  auto member = members.find(text);
  if (member == members.end() && members.size() >= kMaxMembers) {
    text = OtherText(labels);
    member = members.find(text);
  }
  if (member == members.end()) {
    member = members.emplace(text, std::make_unique<Member>(args...)).first;
  }
  return *member->second;
}

Counter& MetricsRegistry::GetCounter(absl::string_view name,
                                     absl::string_view help,
                                     const MetricLabels& labels) {
  MutexLock lock(mu_);
  return Find(name, help, labels, &counters_);
}

Gauge& MetricsRegistry::GetGauge(absl::string_view name, absl::string_view help,
                                 const MetricLabels& labels) {
  MutexLock lock(mu_);
  return Find(name, help, labels, &gauges_);
}

Histogram& MetricsRegistry::GetHistogram(absl::string_view name,
                                         absl::string_view help,
                                         absl::Span<const double> bounds,
                                         const MetricLabels& labels) {
  MutexLock lock(mu_);
  return Find(name, help, labels, &histograms_, bounds);
}

std::string MetricsRegistry::RenderPrometheus() const {
  std::string out;
  MutexLock lock(mu_);
  for (const auto& metric : counters_) {
    AppendHead(metric.first, metric.second.help, "counter", &out);
    for (const auto& member : metric.second.members) {
      AppendSample(metric.first, member.first,
                   absl::StrCat(member.second->value()), &out);
    }
  }
  for (const auto& metric : gauges_) {
    AppendHead(metric.first, metric.second.help, "gauge", &out);
    for (const auto& member : metric.second.members) {
      AppendSample(metric.first, member.first,
                   absl::StrCat(member.second->value()), &out);
    }
  }
  for (const auto& metric : histograms_) {
    AppendHead(metric.first, metric.second.help, "histogram", &out);
    for (const auto& member : metric.second.members) {
      AppendHistogram(metric.first, member.first, *member.second, &out);
    }
  }
  return out;
}

MetricsRegistry& ProcessMetrics() {
  static MetricsRegistry& metrics = *new MetricsRegistry();
  return metrics;
}

}  // namespace kinora
