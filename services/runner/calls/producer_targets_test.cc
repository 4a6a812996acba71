#include "services/runner/calls/producer_targets.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class ProducerTargetsTest : public ::testing::Test {
 protected:
  TargetCall Begin(const TargetWish& wish = {}) {
    return targets_.Begin(wish, now_);
  }
  TargetEnd End(const TargetCall& call, Contact contact,
                const std::string& version = "") {
    return targets_.End(call, contact, version, now_);
  }
  // Loses calls until all targets are open.
  void LoseAll() {
    while (targets_.CanCall(now_)) End(Begin(), Contact::kLost);
  }

  int64_t now_ = 100 * kSecond;
  ProducerTargets targets_{2, BreakerOptions()};
};

TEST_F(ProducerTargetsTest, CallsAreSpreadOverTheTargets) {
  EXPECT_EQ(Begin().target, 0u);
  const TargetCall second = Begin();
  EXPECT_EQ(second.target, 1u);
  EXPECT_EQ(Begin().target, 0u);
  End(second, Contact::kAnswered);
  EXPECT_EQ(Begin().target, 1u);
}

// One that refuses at once has the fewest calls under way: it must not draw
// them all.
TEST_F(ProducerTargetsTest, ATargetThatLostACallIsLeftAloneForAWhile) {
  const TargetCall lost = Begin();
  End(lost, Contact::kLost);
  for (int i = 0; i < 5; ++i) EXPECT_NE(Begin().target, lost.target);
  now_ += 5 * kSecond;
  EXPECT_EQ(Begin().target, lost.target);
}

TEST_F(ProducerTargetsTest, OpensAfterLossesInARowAndProbesWithOneCall) {
  targets_ = ProducerTargets(1, BreakerOptions());
  for (int i = 0; i < 4; ++i) End(Begin(), Contact::kLost);
  End(Begin(), Contact::kAnswered);  // not in a row
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(End(Begin(), Contact::kLost).became.has_value());
  }
  EXPECT_EQ(End(Begin(), Contact::kLost).became, TargetStatus::kOpen);
  EXPECT_FALSE(targets_.CanCall(now_));
  EXPECT_EQ(targets_.NextAt(), now_ + 5 * kSecond);

  now_ = targets_.NextAt();
  const TargetCall probe = Begin();
  EXPECT_TRUE(probe.is_probe);
  EXPECT_FALSE(targets_.CanCall(now_));
  const TargetEnd lost = End(probe, Contact::kLost);
  EXPECT_EQ(lost.became, TargetStatus::kOpen);
  EXPECT_FALSE(lost.counts);
  EXPECT_EQ(targets_.NextAt(), now_ + 10 * kSecond);  // twice as long

  now_ = targets_.NextAt();
  const TargetEnd answered = End(Begin(), Contact::kAnswered);
  EXPECT_EQ(answered.became, TargetStatus::kClosed);
  EXPECT_FALSE(Begin().is_probe);
  EXPECT_TRUE(targets_.CanCall(now_));
}

TEST_F(ProducerTargetsTest, AProbeThatIsCutShortIsMadeAgain) {
  targets_ = ProducerTargets(1, BreakerOptions());
  LoseAll();
  now_ = targets_.NextAt();
  End(Begin(), Contact::kUnknown);
  ASSERT_TRUE(targets_.CanCall(now_));
  EXPECT_TRUE(Begin().is_probe);
}

// A producer that never comes back must not hold its runs for ever.
TEST_F(ProducerTargetsTest, ProbesCountOnceThePatienceIsOver) {
  LoseAll();
  const int64_t down = now_;
  bool counts = false;
  while (!counts) {
    now_ = targets_.NextAt();
    counts = End(Begin(), Contact::kLost).counts;
    ASSERT_EQ(counts, now_ - down >= 600 * kSecond);
    ASSERT_LE(targets_.NextAt() - now_, 120 * kSecond);
  }
}

TEST_F(ProducerTargetsTest, OthersTakeTheWorkOfOneThatIsDown) {
  for (int i = 0; i < 5; ++i) {
    End(Begin({"", size_t{0}}), Contact::kLost);
  }
  EXPECT_EQ(targets_.StateOf(0, now_).status, TargetStatus::kOpen);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Begin().target, 1u);
  EXPECT_EQ(Begin({"", size_t{0}}).target, 1u);  // even if it is wished for
  now_ += 5 * kSecond;
  EXPECT_EQ(Begin().target, 0u);  // the probe
  EXPECT_EQ(Begin().target, 1u);
}

TEST_F(ProducerTargetsTest, TheTargetWithTheWorkIsCalledHoweverBusy) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Begin({"", size_t{1}}).target, 1u);
  }
}

TEST_F(ProducerTargetsTest, TargetsOfThePlannedVersionComeFirst) {
  const TargetCall call = Begin({"1", std::nullopt});
  EXPECT_FALSE(End(call, Contact::kAnswered, "2").counts);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(Begin({"1", std::nullopt}).target, call.target);
  }
  // A plan made for the new version has it the other way.
  EXPECT_EQ(Begin({"2", std::nullopt}).target, call.target);
  // None has the version any more: that is the job's failure.
  EXPECT_TRUE(End(Begin({"1", std::nullopt}), Contact::kAnswered, "2").counts);
  EXPECT_TRUE(targets_.CanCall(now_));
}

TEST_F(ProducerTargetsTest, AVersionIsNotBelievedForEver) {
  const TargetCall call = Begin({"1", std::nullopt});
  End(call, Contact::kAnswered, "2");
  Begin({"1", std::nullopt});
  now_ += absl::ToInt64Nanoseconds(ProducerTargets::kVersionTtl);
  EXPECT_EQ(Begin({"1", std::nullopt}).target, call.target);
}

}  // namespace
}  // namespace kinora
