#include "services/runner/calls/call_rate.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "gtest/gtest.h"

#include "common/random.h"

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
  rate.Return(0);
  EXPECT_LE(rate.NextAt(), 0);
}

// Its turn has come again by itself, and was used.
TEST(CallRateTest, ACallThatIsReturnedLateIsNoSecondOneAtOnce) {
  CallRate rate(absl::Seconds(1), 1);
  rate.Take(0);
  rate.Take(1 * kSecond);
  rate.Return(0);
  EXPECT_EQ(rate.NextAt(), 2 * kSecond);
}

TEST(CallRateTest, OneOfABurstThatIsReturnedLeavesTheOthers) {
  CallRate rate(absl::Seconds(2), 3);
  for (int64_t at = 0; at < 3; ++at) rate.Take(at * kSecond);
  rate.Return(1 * kSecond);
  // As after two calls, at 0 and 2 s: the bucket is full at 4 s.
  EXPECT_EQ(rate.NextAt(), 0);
}

// However many calls are given back, and when: what is made keeps the rate.
TEST(CallRateTest, WhatIsMadeKeepsTheRateWhateverIsReturned) {
  SeededRandom random(7);
  for (const uint32_t burst : {1u, 2u, 5u}) {
    CallRate rate(absl::Seconds(1), burst);
    std::vector<int64_t> made;  // or on its way
    int64_t now = 0;
    for (int i = 0; i < 5'000; ++i) {
      now += static_cast<int64_t>(random.Next() % (kSecond / 2));
      if (rate.NextAt() <= now) {
        rate.Take(now);
        made.push_back(now);
      }
      if (random.Next() % 10 == 0 && !made.empty()) {
        const size_t back =
            std::min<size_t>(random.Next() % 8, made.size() - 1);
        const auto call = made.end() - 1 - static_cast<std::ptrdiff_t>(back);
        rate.Return(*call);
        made.erase(call);
      }
    }
    ASSERT_GT(made.size(), 500u);
    // Of burst + n calls the last comes n intervals after the first.
    for (size_t n = 1; n < 20; ++n) {
      for (size_t i = 0; i + burst - 1 + n < made.size(); ++i) {
        ASSERT_GE(made[i + burst - 1 + n] - made[i],
                  static_cast<int64_t>(n) * kSecond)
            << "burst " << burst << ", call " << i;
      }
    }
  }
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
