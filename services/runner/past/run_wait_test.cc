#include "services/runner/past/run_wait.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kNow = 100 * kSecond;
constexpr int64_t kHour = 3600 * kSecond;

RunWait Down(absl::string_view producer, int64_t until) {
  return WaitForProducer(producer, {CallTurns::Hold::Why::kDown, until});
}

// Nothing is under way, and one job waits for such an end.
RunStanding WaitingFor(const RunWait& wait, const RunWait& told = RunWait()) {
  RunStanding standing;
  standing.WaitsFor(wait, kNow, told);
  return standing;
}

TEST(RunWaitTest, ARunWaitsForAProducerThatIsNotToBeCalledForLong) {
  const RunWait wait = WaitOf(WaitingFor(Down("tts", kNow + kHour)));
  EXPECT_EQ(wait.reason, "producer");
  EXPECT_EQ(wait.message, "tts is down");
  EXPECT_EQ(wait.until, kNow + kHour);
}

TEST(RunWaitTest, ARunThatDoesSomethingDoesNotWait) {
  RunStanding standing = WaitingFor(Down("tts", kNow + kHour));
  standing.running = 1;
  EXPECT_EQ(WaitOf(standing).reason, "");
  standing.running = 0;
  standing.is_answered_soon = true;
  EXPECT_EQ(WaitOf(standing).reason, "");
  standing.is_answered_soon = false;
  standing.goes_on_soon = true;
  EXPECT_EQ(WaitOf(standing).reason, "");
}

TEST(RunWaitTest, ARunThatAsksGoesOnAtTheFirstDeadlineAtLast) {
  RunStanding standing;
  standing.asking = 2;
  EXPECT_EQ(WaitOf(standing).reason, "question");
  EXPECT_EQ(WaitOf(standing).until, INT64_MAX);
  standing.answered_by = kNow + kHour;
  EXPECT_EQ(WaitOf(standing).until, kNow + kHour);
}

TEST(RunWaitTest, WhatIsOverSoonIsNotTold) {
  EXPECT_EQ(WaitOf(WaitingFor(Down("tts", kNow + kSecond))).reason, "");
}

// Turns change every few milliseconds: who has had none for long is told, and
// goes on being told until it has one.
TEST(RunWaitTest, ARunThatStandsStillWaitsForItsTurnAmongOthers) {
  RunStanding standing;
  standing.WaitsForTurn("tts", kNow - 2 * kSecond, kNow, RunWait());
  EXPECT_EQ(WaitOf(standing).reason, "");
  standing = RunStanding();
  standing.WaitsForTurn("tts", kNow - 3 * kSecond, kNow, RunWait());
  const RunWait told = WaitOf(standing);
  EXPECT_EQ(told.reason, "producer");
  EXPECT_THAT(told.message, HasSubstr("tts"));
  EXPECT_EQ(told.until, INT64_MAX);
  standing = RunStanding();
  standing.WaitsForTurn("tts", kNow, kNow, told);
  EXPECT_TRUE(WaitOf(standing).IsKnownBy(told));
  standing.running = 1;
  EXPECT_EQ(WaitOf(standing).reason, "");
}

// Else it would go on a little before it does.
TEST(RunWaitTest, WhatWasToldStaysToldToItsEnd) {
  const RunWait told = Down("tts", kNow + kSecond);
  EXPECT_EQ(WaitOf(WaitingFor(told, told)).reason, "producer");
  // Another end is not another wait.
  EXPECT_EQ(WaitOf(WaitingFor(Down("tts", kNow + 2 * kSecond), told)).reason,
            "producer");
  EXPECT_EQ(WaitOf(WaitingFor(Down("film", kNow + kSecond), told)).reason, "");
}

// Under a rate that many runs share, the end moves with each of their calls.
TEST(RunWaitTest, AnEndThatMovesALittleIsNoNews) {
  const RunWait told = Down("tts", kNow + kHour);
  EXPECT_TRUE(Down("tts", kNow + kHour + 5 * kSecond).IsKnownBy(told));
  EXPECT_TRUE(Down("tts", kNow + kHour - 5 * kSecond).IsKnownBy(told));
  EXPECT_FALSE(Down("tts", kNow + kHour + 6 * kSecond).IsKnownBy(told));
  EXPECT_FALSE(Down("tts", kNow + kHour - 6 * kSecond).IsKnownBy(told));
  EXPECT_FALSE(Down("film", kNow + kHour).IsKnownBy(told));
  const RunWait endless = Down("tts", INT64_MAX);
  EXPECT_FALSE(told.IsKnownBy(endless));
  EXPECT_FALSE(endless.IsKnownBy(told));
  EXPECT_TRUE(endless.IsKnownBy(endless));
}

TEST(RunWaitTest, WhatComesFirstIsTold) {
  RunStanding standing = WaitingFor(Down("tts", kNow + kHour));
  standing.WaitsFor(WaitForRetry("A", "image", false, kNow + kHour / 2), kNow,
                    RunWait());
  standing.WaitsFor(Down("film", kNow + 2 * kHour), kNow, RunWait());
  EXPECT_EQ(WaitOf(standing).until, kNow + kHour / 2);
  EXPECT_THAT(WaitOf(standing).message, HasSubstr("image has failed at job A"));
}

// What somebody can do about it now is told first.
TEST(RunWaitTest, WhatSomebodyCanDecideIsToldFirst) {
  RunStanding standing = WaitingFor(Down("tts", kNow + kHour));
  standing.held_by_pause = true;
  EXPECT_EQ(WaitOf(standing).reason, "producer");
  standing.lacks_planner = true;
  EXPECT_EQ(WaitOf(standing).reason, "planner");
  standing.asking = 1;
  EXPECT_EQ(WaitOf(standing).reason, "question");
  standing.in_doubt = 1;
  EXPECT_EQ(WaitOf(standing).reason, "in_doubt");
  standing.held_by_budget = true;
  EXPECT_EQ(WaitOf(standing).reason, "budget");
  // It may turn out that there is no need to.
  standing.asks_again_soon = true;
  EXPECT_EQ(WaitOf(standing).reason, "in_doubt");
  standing.is_paused = true;
  EXPECT_EQ(WaitOf(standing).reason, "paused");
  standing.is_over = true;
  EXPECT_EQ(WaitOf(standing).reason, "");
}

TEST(RunWaitTest, APauseIsToldIfNothingElseIsInTheWay) {
  RunStanding standing;
  EXPECT_EQ(WaitOf(standing).reason, "");
  standing.held_by_pause = true;
  EXPECT_EQ(WaitOf(standing).reason, "paused");
}

// Nobody knows when people answer.
TEST(RunWaitTest, PlacesThatAreHeldForAnswersHaveNoEnd) {
  const RunWait wait = WaitOf(WaitingFor(
      WaitForProducer("tts", {CallTurns::Hold::Why::kAnswers, INT64_MAX})));
  EXPECT_EQ(wait.reason, "producer");
  EXPECT_EQ(wait.until, INT64_MAX);
  EXPECT_FALSE(RecordedWait(v1::RunWaitingEvent()).has_until());
}

}  // namespace
}  // namespace kinora
