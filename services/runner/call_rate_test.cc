#include "services/runner/call_rate.h"

#include "gtest/gtest.h"

namespace kinora {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(CallRateTest, ABurstThenOneInterval) {
  CallRate rate(absl::Seconds(2), 3);
  const int64_t now = 10 * kSecond;
  for (int i = 0; i < 3; ++i) {
    ASSERT_LE(rate.NextAt(), now);
    rate.Take(now);
  }
  EXPECT_EQ(rate.NextAt(), now + 2 * kSecond);
  rate.Take(now + 2 * kSecond);
  EXPECT_EQ(rate.NextAt(), now + 4 * kSecond);
}

TEST(CallRateTest, WhatIsNotUsedIsNotSavedBeyondTheBurst) {
  CallRate rate(absl::Seconds(1), 2);
  rate.Take(0);
  const int64_t later = 1000 * kSecond;
  rate.Take(later);
  ASSERT_LE(rate.NextAt(), later);
  rate.Take(later);
  EXPECT_EQ(rate.NextAt(), later + kSecond);
}

TEST(CallRateTest, ACallThatIsReturnedMayBeMadeAgain) {
  CallRate rate(absl::Seconds(1), 1);
  rate.Take(0);
  rate.Return();
  EXPECT_LE(rate.NextAt(), 0);
}

TEST(CallRateTest, WithoutALimitAllGo) {
  CallRate rate;
  for (int i = 0; i < 3; ++i) {
    EXPECT_LE(rate.NextAt(), 0);
    rate.Take(0);
  }
}

}  // namespace
}  // namespace kinora
