#include "common/telemetry/metrics.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(MetricsTest, RendersEachKindWithItsHelp) {
  MetricsRegistry metrics;
  metrics.GetCounter("kinora_calls_total", "Calls.", {{"code", "OK"}}).Add(3);
  metrics.GetGauge("kinora_runs", "Runs now.").Add(2);
  metrics.GetGauge("kinora_runs", "Runs now.").Add(-1);
  EXPECT_EQ(metrics.RenderPrometheus(),
            "# HELP kinora_calls_total Calls.\n"
            "# TYPE kinora_calls_total counter\n"
            "kinora_calls_total{code=\"OK\"} 3\n"
            "# HELP kinora_runs Runs now.\n"
            "# TYPE kinora_runs gauge\n"
            "kinora_runs 1\n");
}

// A bucket counts everything up to its bound, the last one everything.
TEST(MetricsTest, RendersCumulativeHistograms) {
  MetricsRegistry metrics;
  const double bounds[] = {0.001, 0.5};
  Histogram& plain =
      metrics.GetHistogram("kinora_sync_seconds", "Syncs.", bounds);
  plain.Observe(absl::Milliseconds(1));
  plain.Observe(absl::Milliseconds(3));
  plain.Observe(absl::Minutes(1));
  metrics.GetHistogram("kinora_wait_seconds", "Waits.", bounds, {{"a", "b"}})
      .Observe(0.25);
  EXPECT_EQ(metrics.RenderPrometheus(),
            "# HELP kinora_sync_seconds Syncs.\n"
            "# TYPE kinora_sync_seconds histogram\n"
            "kinora_sync_seconds_bucket{le=\"0.001\"} 1\n"
            "kinora_sync_seconds_bucket{le=\"0.5\"} 2\n"
            "kinora_sync_seconds_bucket{le=\"+Inf\"} 3\n"
            "kinora_sync_seconds_sum 60.004\n"
            "kinora_sync_seconds_count 3\n"
            "# HELP kinora_wait_seconds Waits.\n"
            "# TYPE kinora_wait_seconds histogram\n"
            "kinora_wait_seconds_bucket{a=\"b\",le=\"0.001\"} 0\n"
            "kinora_wait_seconds_bucket{a=\"b\",le=\"0.5\"} 1\n"
            "kinora_wait_seconds_bucket{a=\"b\",le=\"+Inf\"} 1\n"
            "kinora_wait_seconds_sum{a=\"b\"} 0.25\n"
            "kinora_wait_seconds_count{a=\"b\"} 1\n");
}

TEST(MetricsTest, EscapesLabelValues) {
  MetricsRegistry metrics;
  metrics.GetCounter("x_total", "X.", {{"a", "\"\\\n"}}).Add();
  EXPECT_THAT(metrics.RenderPrometheus(),
              HasSubstr("x_total{a=\"\\\"\\\\\\n\"} 1\n"));
}

// Somebody who makes up label values, such as names of methods, costs neither
// memory nor time series without end.
TEST(MetricsTest, MembersBeyondTheLimitAreOne) {
  MetricsRegistry metrics;
  const size_t extra = 5;
  for (size_t i = 0; i < MetricsRegistry::kMaxMembers + extra; ++i) {
    metrics.GetCounter("x_total", "X.", {{"a", absl::StrCat(i)}}).Add();
  }
  const std::string text = metrics.RenderPrometheus();
  EXPECT_THAT(text, HasSubstr("x_total{a=\"other\"} 5\n"));
  EXPECT_THAT(
      text,
      Not(HasSubstr(absl::StrCat("a=\"", MetricsRegistry::kMaxMembers, "\""))));
}

TEST(MetricsTest, CountsFromManyThreads) {
  MetricsRegistry metrics;
  constexpr int kThreads = 4;
  constexpr int kTimes = 1000;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&metrics] {
      for (int k = 0; k < kTimes; ++k) {
        metrics.GetCounter("x_total", "X.").Add();
        metrics.GetHistogram("y_seconds", "Y.", kLatencySeconds).Observe(0.5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(metrics.GetCounter("x_total", "X.").value(), kThreads * kTimes);
  const Histogram& histogram =
      metrics.GetHistogram("y_seconds", "Y.", kLatencySeconds);
  EXPECT_EQ(histogram.count(), kThreads * kTimes);
  EXPECT_DOUBLE_EQ(histogram.sum(), kThreads * kTimes / 2.0);
}

}  // namespace
}  // namespace kinora
