#include "common/metrics.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

TEST(MetricsTest, CountsByMethodAndCode) {
  MetricsRegistry metrics;
  metrics.CountCall("server", "/a/B", absl::StatusCode::kOk,
                    absl::Milliseconds(1));
  metrics.CountCall("server", "/a/B", absl::StatusCode::kOk,
                    absl::Milliseconds(1));
  metrics.CountCall("server", "/a/B", absl::StatusCode::kNotFound,
                    absl::Milliseconds(1));
  EXPECT_EQ(metrics.Calls("server", "/a/B", absl::StatusCode::kOk), 2);
  EXPECT_EQ(metrics.Calls("server", "/a/B", absl::StatusCode::kNotFound), 1);
  EXPECT_EQ(metrics.Calls("client", "/a/B", absl::StatusCode::kOk), 0);
}

// A bucket counts everything up to its bound, the last one everything.
TEST(MetricsTest, RendersCumulativeHistograms) {
  MetricsRegistry metrics;
  metrics.CountCall("server", "/a/B", absl::StatusCode::kOk,
                    absl::Milliseconds(1));
  metrics.CountCall("server", "/a/B", absl::StatusCode::kOk,
                    absl::Milliseconds(3));
  metrics.CountCall("server", "/a/B", absl::StatusCode::kOk, absl::Minutes(1));
  const std::string text = metrics.RenderPrometheus();
  const std::string labels = "{side=\"server\",method=\"/a/B\",";
  EXPECT_THAT(
      text, HasSubstr("kinora_rpc_calls_total" + labels + "code=\"OK\"} 3\n"));
  const std::string bucket = "kinora_rpc_latency_seconds_bucket" + labels;
  EXPECT_THAT(text, HasSubstr(bucket + "le=\"0.001\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "le=\"0.002\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "le=\"0.005\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + "le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text,
              HasSubstr("_sum{side=\"server\",method=\"/a/B\"} 60.004\n"));
}

}  // namespace
}  // namespace kinora
