#include "services/runner/calls/retry_policy.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace kinora {
namespace {

v1::Failure Retryable(bool retryable) {
  v1::Failure failure;
  failure.set_retryable(retryable);
  return failure;
}

TEST(RetryPolicyTest, OnlyRetryableFailuresWithAttemptsLeftAreRetried) {
  EXPECT_TRUE(ShouldRetry(Retryable(true), 1, 3));
  EXPECT_TRUE(ShouldRetry(Retryable(true), 2, 3));
  EXPECT_FALSE(ShouldRetry(Retryable(true), 3, 3));
  EXPECT_FALSE(ShouldRetry(Retryable(false), 1, 3));
}

TEST(RetryPolicyTest, RetryAfterIsBelievedWithinBounds) {
  v1::Failure failure = Retryable(true);
  EXPECT_EQ(RetryAfter(failure), absl::ZeroDuration());
  failure.mutable_retry_after()->set_seconds(90);
  EXPECT_EQ(RetryAfter(failure), absl::Seconds(90));
  failure.mutable_retry_after()->set_seconds(1'000'000);
  EXPECT_EQ(RetryAfter(failure), kLongestRetryAfter);
  failure.mutable_retry_after()->set_seconds(-5);
  EXPECT_EQ(RetryAfter(failure), absl::ZeroDuration());
}

TEST(RetryPolicyTest, DelayIsSpreadOverAGrowingThenCappedRange) {
  const RetryPolicy policy{absl::Milliseconds(100), absl::Seconds(1)};
  const absl::Duration caps[] = {
      absl::Milliseconds(100), absl::Milliseconds(200), absl::Milliseconds(400),
      absl::Milliseconds(800), absl::Seconds(1),        absl::Seconds(1)};
  SeededRandom random(7);
  for (uint32_t attempt = 1; attempt <= 6; ++attempt) {
    const absl::Duration cap = caps[attempt - 1];
    absl::Duration least = absl::InfiniteDuration();
    absl::Duration most = absl::ZeroDuration();
    for (int i = 0; i < 1000; ++i) {
      const absl::Duration delay = RetryDelay(policy, attempt, random);
      least = std::min(least, delay);
      most = std::max(most, delay);
    }
    EXPECT_GE(least, absl::ZeroDuration());
    EXPECT_LT(least, cap * 0.05) << "attempt " << attempt;
    EXPECT_GT(most, cap * 0.95) << "attempt " << attempt;
    EXPECT_LE(most, cap) << "attempt " << attempt;
  }
}

// The 40th attempt must not overflow the backoff.
TEST(RetryPolicyTest, LateAttemptsStayAtTheCap) {
  SeededRandom random(7);
  EXPECT_LE(RetryDelay(RetryPolicy{}, 4'000'000'000u, random),
            absl::Seconds(30));
}

}  // namespace
}  // namespace kinora
