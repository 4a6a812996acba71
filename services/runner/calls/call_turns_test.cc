#include "services/runner/calls/call_turns.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/random.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000'000;
constexpr CallTurns::RunKey kBig = 1;
constexpr CallTurns::RunKey kSmall = 2;

CallLimits Limits(uint32_t concurrency, CallRate rate = {}) {
  CallLimits limits;
  limits.concurrency = concurrency;
  limits.rate = rate;
  return limits;
}

class CallTurnsTest : public ::testing::Test {
 protected:
  std::optional<CallTurns::Call> Take(CallTurns::RunKey run,
                                      const std::string& producer = "tts") {
    return turns_.Take(run, producer, {}, now_);
  }
  // What is free after a call has ended; the runs that are told.
  std::vector<CallTurns::RunKey> End(const CallTurns::Call& call,
                                     Contact contact = Contact::kAnswered) {
    turns_.Leave(call, contact, "", now_);
    return turns_.Offer(now_);
  }

  int64_t now_ = kSecond;
  CallTurns turns_{3, {{"tts", Limits(2)}, {"video", Limits(2)}}};
};

TEST_F(CallTurnsTest, LimitsHoldOverAllRuns) {
  EXPECT_TRUE(Take(kBig).has_value());
  EXPECT_TRUE(Take(kSmall).has_value());
  EXPECT_FALSE(Take(kSmall).has_value());  // the producer's
  EXPECT_TRUE(Take(kSmall, "video").has_value());
  EXPECT_FALSE(Take(kBig, "video").has_value());  // that of all
}

TEST_F(CallTurnsTest, WhatKeepsAProducerFromBeingCalledIsTold) {
  EXPECT_FALSE(turns_.HoldOf("tts", now_).has_value());
  turns_.HoldBack(turns_.IndexOf("tts"), now_ + 5 * kSecond);
  const auto hold = turns_.HoldOf("tts", now_);
  ASSERT_TRUE(hold.has_value());
  EXPECT_EQ(hold->why, CallTurns::Hold::Why::kAsked);
  EXPECT_EQ(hold->until, now_ + 5 * kSecond);
  EXPECT_FALSE(turns_.HoldOf("video", now_).has_value());
  now_ += 5 * kSecond;
  EXPECT_FALSE(turns_.HoldOf("tts", now_).has_value());
}

// Of two things in the way the one that lasts longer is.
TEST_F(CallTurnsTest, AProducerThatIsDownIsHeldAsLong) {
  for (uint32_t i = 0; i < BreakerOptions().failures; ++i) {
    const auto call = Take(kBig);
    ASSERT_TRUE(call.has_value());
    End(*call, Contact::kLost);
  }
  turns_.HoldBack(turns_.IndexOf("tts"), now_ + kSecond);
  const auto hold = turns_.HoldOf("tts", now_);
  ASSERT_TRUE(hold.has_value());
  EXPECT_EQ(hold->why, CallTurns::Hold::Why::kDown);
  EXPECT_EQ(hold->until, now_ + 5 * kSecond);
}

TEST_F(CallTurnsTest, ARateHoldsAProducerUntilItsNextCall) {
  CallTurns turns(8, {{"tts", Limits(4, CallRate(absl::Seconds(60), 1))}});
  ASSERT_TRUE(turns.Take(kBig, "tts", {}, now_).has_value());
  const auto hold = turns.HoldOf("tts", now_);
  ASSERT_TRUE(hold.has_value());
  EXPECT_EQ(hold->why, CallTurns::Hold::Why::kRate);
  EXPECT_EQ(hold->until, now_ + 60 * kSecond);
}

// A call that is at work ends by itself; one that waits for a person need not.
TEST_F(CallTurnsTest, CallsThatAllWaitForAnswersHoldTheirProducer) {
  const auto first = Take(kBig);
  ASSERT_TRUE(Take(kSmall).has_value());
  turns_.SetAsking(kBig, "tts", 1);
  EXPECT_FALSE(turns_.HoldOf("tts", now_).has_value());
  turns_.SetAsking(kSmall, "tts", 1);
  const auto hold = turns_.HoldOf("tts", now_);
  ASSERT_TRUE(hold.has_value());
  EXPECT_EQ(hold->why, CallTurns::Hold::Why::kAnswers);
  EXPECT_EQ(hold->until, INT64_MAX);
  End(*first);
  turns_.Forget(kBig, now_);
  EXPECT_FALSE(turns_.HoldOf("tts", now_).has_value());
}

// The places of all producers may be taken so, too.
TEST_F(CallTurnsTest, CallsThatAllWaitForAnswersHoldTheOtherProducers) {
  ASSERT_TRUE(Take(kBig).has_value());
  ASSERT_TRUE(Take(kBig).has_value());
  ASSERT_TRUE(Take(kSmall, "video").has_value());
  turns_.SetAsking(kBig, "tts", 2);
  EXPECT_FALSE(turns_.HoldOf("video", now_).has_value());
  turns_.SetAsking(kSmall, "video", 1);
  EXPECT_TRUE(turns_.HoldOf("video", now_).has_value());
}

// Whoever comes later must not pass the one that waits.
TEST_F(CallTurnsTest, WhatComesFreeIsKeptForTheFirstInLine) {
  const auto first = Take(kBig);
  ASSERT_TRUE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kSmall).has_value());
  EXPECT_THAT(End(*first), ElementsAre(kBig));
  EXPECT_FALSE(Take(kSmall).has_value());
  const auto next = Take(kBig);
  ASSERT_TRUE(next.has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_THAT(End(*next), ElementsAre(kSmall));
}

TEST_F(CallTurnsTest, AnOfferThatIsNotTakenGoesToTheNext) {
  const auto call = Take(kBig);
  ASSERT_TRUE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kSmall).has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_THAT(End(*call), ElementsAre(kSmall));
  // It settles what it looked at before it was told: that keeps the offer.
  turns_.Settle(kSmall, now_);
  EXPECT_THAT(turns_.Offer(now_), IsEmpty());
  turns_.Look(kSmall);
  turns_.Settle(kSmall, now_);
  EXPECT_THAT(turns_.Offer(now_), ElementsAre(kBig));
}

TEST_F(CallTurnsTest, ARunThatEndsGivesUpItsTurn) {
  const auto call = Take(kBig);
  const auto other = Take(kBig);
  EXPECT_FALSE(Take(kSmall).has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_THAT(End(*call), ElementsAre(kSmall));
  turns_.Forget(kSmall, now_);  // it has an offer
  EXPECT_THAT(turns_.Offer(now_), ElementsAre(kBig));
  EXPECT_FALSE(Take(kSmall).has_value());
  turns_.Forget(kSmall, now_);  // it stands in line
  EXPECT_THAT(End(*other), IsEmpty());
}

TEST_F(CallTurnsTest, NobodyIsCalledBeforeAHeldBackProducerMayBe) {
  turns_.HoldBack(turns_.IndexOf("tts"), now_ + 5 * kSecond);
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kSmall).has_value());
  EXPECT_TRUE(Take(kBig, "video").has_value());
  EXPECT_EQ(turns_.NextAt(), now_ + 5 * kSecond);
  EXPECT_THAT(turns_.Offer(now_), IsEmpty());
  now_ = turns_.NextAt();
  EXPECT_THAT(turns_.Offer(now_), ElementsAre(kBig, kSmall));
}

// One probe, not all that wait; and the place is not held by those that may
// not be called.
TEST_F(CallTurnsTest, AProducerThatIsDownIsProbedByOneCall) {
  turns_ = CallTurns(9, {{"tts", Limits(9)}});
  std::vector<CallTurns::Call> calls;
  for (int i = 0; i < 5; ++i) calls.push_back(*Take(kBig));
  for (const CallTurns::Call& call : calls) End(call, Contact::kLost);
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kSmall).has_value());
  EXPECT_EQ(turns_.NextAt(), now_ + 5 * kSecond);
  now_ = turns_.NextAt();
  EXPECT_THAT(turns_.Offer(now_), ElementsAre(kBig));
  EXPECT_EQ(turns_.NextAt(), INT64_MAX);  // until the probe has ended
  EXPECT_THAT(End(*Take(kBig)), ElementsAre(kSmall));
}

TEST_F(CallTurnsTest, ACallThatIsNotMadeCostsNothingOfTheRate) {
  turns_ = CallTurns(9, {{"tts", Limits(9, CallRate(absl::Seconds(1), 1))}});
  turns_.Return(*Take(kBig), now_);
  EXPECT_TRUE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_EQ(turns_.NextAt(), now_ + kSecond);
}

TEST_F(CallTurnsTest, ACallThatIsGivenBackLateMakesNoTwoAtOnce) {
  turns_ = CallTurns(9, {{"tts", Limits(9, CallRate(absl::Seconds(1), 1))}});
  const auto unused = Take(kBig);
  now_ += kSecond;
  EXPECT_TRUE(Take(kSmall).has_value());
  turns_.Return(*unused, now_);
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_EQ(turns_.NextAt(), now_ + kSecond);
}

// Whichever producer is called; no other limit is near.
TEST_F(CallTurnsTest, ARateHoldsOverAllProducers) {
  turns_ = CallTurns(9, {{"tts", Limits(9)}, {"video", Limits(9)}},
                     CallRate(absl::Seconds(1), 2));
  EXPECT_TRUE(Take(kBig).has_value());
  const auto returned = Take(kBig, "video");
  ASSERT_TRUE(returned.has_value());
  turns_.Return(*returned, now_);
  EXPECT_TRUE(Take(kSmall, "video").has_value());
  EXPECT_FALSE(Take(kBig).has_value());
  EXPECT_FALSE(Take(kSmall, "video").has_value());
  EXPECT_EQ(turns_.NextAt(), now_ + kSecond);
  now_ += kSecond;
  EXPECT_EQ(turns_.Offer(now_).size(), 1u);
  EXPECT_EQ(turns_.NextAt(), now_ + kSecond);
}

// Many runs that always want to call, calls of random length, a rate:
// limits hold at any time and in any window, and the turns are even.
class CallTurnsProperty : public ::testing::TestWithParam<uint64_t> {};

TEST_P(CallTurnsProperty, LimitsHoldAndNobodyIsPassedBy) {
  SeededRandom random(GetParam());
  auto up_to = [&random](uint64_t most) {
    return static_cast<int64_t>(random.Next() % most) + 1;
  };
  const auto runs = static_cast<CallTurns::RunKey>(up_to(5) + 1);
  const auto total = static_cast<uint32_t>(up_to(6));
  const auto own = static_cast<uint32_t>(up_to(5));
  const auto burst = static_cast<uint32_t>(up_to(4));
  const int64_t interval = up_to(3) * kSecond;
  CallTurns turns(
      total,
      {{"rated", Limits(own, CallRate(absl::Nanoseconds(interval), burst))},
       {"free", Limits(own)}});
  const std::vector<std::string> names = {"rated", "free"};

  struct Made {
    CallTurns::Call call;
    int64_t end;
  };
  std::vector<Made> made;
  std::vector<int64_t> rated;
  std::map<std::string, std::map<CallTurns::RunKey, int64_t>> grants;
  // By producer and run that waits: calls of others since it stood in line.
  std::map<std::string,
           std::map<CallTurns::RunKey, std::map<CallTurns::RunKey, int>>>
      passed_by;
  std::set<CallTurns::RunKey> told;
  int64_t now = 0;
  // It wants more at all times.
  auto look = [&](CallTurns::RunKey run) {
    turns.Look(run);
    for (const std::string& name : names) {
      while (auto call = turns.Take(run, name, {}, now)) {
        ++grants[name][run];
        passed_by[name].erase(run);
        for (auto& waits : passed_by[name]) {
          // It has an offer, and is about to look.
          if (told.contains(waits.first)) continue;
          // One may have been offered before.
          EXPECT_LE(++waits.second[run], 2) << name;
        }
        if (name == "rated") rated.push_back(now);
        made.push_back({*call, now + up_to(4) * kSecond});
      }
      passed_by[name][run];
    }
    turns.Settle(run, now);
  };
  for (CallTurns::RunKey run = 1; run <= runs; ++run) look(run);
  for (int step = 0; step < 3000; ++step) {
    for (CallTurns::RunKey run : turns.Offer(now)) told.insert(run);
    if (!told.empty()) {
      auto run = told.begin();
      std::advance(run, random.Next() % told.size());
      const CallTurns::RunKey which = *run;
      told.erase(run);
      look(which);
      ASSERT_LE(made.size(), total);
      for (size_t producer : {size_t{0}, size_t{1}}) {
        ASSERT_LE(std::count_if(made.begin(), made.end(),
                                [producer](const Made& one) {
                                  return one.call.producer == producer;
                                }),
                  own);
      }
      continue;
    }
    // Nothing to do: the next end or the next token.
    int64_t next = turns.NextAt();
    for (const Made& one : made) next = std::min(next, one.end);
    ASSERT_NE(next, INT64_MAX) << "a run waits, and nothing wakes it";
    now = std::max(now, next);
    for (auto one = made.begin(); one != made.end();) {
      if (one->end > now) {
        ++one;
        continue;
      }
      turns.Leave(one->call, Contact::kAnswered, "", now);
      one = made.erase(one);
    }
  }
  // A window of any length that starts with a call.
  for (size_t i = 0; i < rated.size(); ++i) {
    for (size_t j = i; j < std::min(rated.size(), i + 50); ++j) {
      const int64_t window = rated[j] - rated[i];
      ASSERT_LE(static_cast<int64_t>(j - i + 1), burst + window / interval);
    }
  }
  for (const std::string& name : names) {
    EXPECT_EQ(grants[name].size(), runs) << name << ": a run starves";
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CallTurnsProperty,
                         ::testing::Range(uint64_t{1}, uint64_t{60}));

}  // namespace
}  // namespace kinora
