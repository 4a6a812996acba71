#include "services/runner/past/log_intake.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::LogLines Lines(int64_t offset, const std::vector<std::string>& lines) {
  v1::LogLines batch;
  batch.set_channel_offset(offset);
  for (const std::string& line : lines) batch.add_lines(line);
  return batch;
}

TEST(LogIntakeTest, LinesAreNumberedThroughTheRun) {  // F: S2-75
  LogIntake intake;
  EXPECT_EQ(intake.Take("A", 1, Lines(0, {"a", "b"}))->first_seq(), 1);
  EXPECT_EQ(intake.Take("B", 1, Lines(0, {"c"}))->first_seq(), 3);
  EXPECT_EQ(intake.Take("A", 1, Lines(2, {"d"}))->first_seq(), 4);
  EXPECT_EQ(intake.total(), 4);
}

// By position, not by text: equal lines survive, sent-again ones do not double.
TEST(LogIntakeTest, LinesSentAgainAreTakenOnce) {  // F: S2-76
  LogIntake intake;
  intake.Take("A", 1, Lines(0, {"x", "x"}));
  EXPECT_THAT(intake.Take("A", 1, Lines(1, {"x", "x", "y"}))->lines(),
              ElementsAre("x", "y"));
  EXPECT_FALSE(intake.Take("A", 1, Lines(0, {"x"})).has_value());
}

TEST(LogIntakeTest, MissingLinesLeaveOneLoudLine) {  // F: S2-78
  LogIntake intake;
  intake.Take("A", 1, Lines(0, {"a"}));
  EXPECT_THAT(intake.Take("A", 1, Lines(4, {"e"}))->lines(),
              ElementsAre(HasSubstr("3 log lines of A are missing"), "e"));
}

TEST(LogIntakeTest, AnAttemptMayCountAnewOrGoOn) {
  LogIntake intake;
  intake.Take("A", 1, Lines(0, {"a", "b"}));
  EXPECT_THAT(intake.Take("A", 2, Lines(0, {"a"}))->lines(), ElementsAre("a"));
  EXPECT_THAT(intake.Take("A", 2, Lines(1, {"c"}))->lines(), ElementsAre("c"));
  EXPECT_THAT(intake.Take("A", 3, Lines(4, {"d"}))->lines(), ElementsAre("d"));
}

TEST(LogIntakeTest, BlankLineKeepsItsPlace) {  // F: S2-72
  LogIntake intake;
  EXPECT_THAT(intake.Take("A", 1, Lines(0, {" ", "b"}))->lines(),
              ElementsAre("(blank log line)", "b"));
}

TEST(LogIntakeTest, FullLogEndsWithOneMarkerAndGoesOnCounting) {  // F: S2-8
  LogIntake intake;
  int64_t stored = 0;
  std::string last;
  for (int i = 0; i < 30'000; ++i) {
    auto event = intake.Take("A", 1, Lines(i, {absl::StrCat("line ", i)}));
    if (!event.has_value() || event->lines().empty()) continue;
    stored += event->lines_size();
    last = event->lines(event->lines_size() - 1);
  }
  EXPECT_EQ(stored, kMaxStoredLogLines);
  EXPECT_THAT(last, HasSubstr("the log is full"));
  EXPECT_TRUE(intake.truncated());
  EXPECT_EQ(intake.total(), 30'000);
}

// F: S1-61 (the log of a run goes on in another process)
TEST(LogIntakeTest, WhatWasTakenElsewhereIsRecalled) {
  LogIntake first;
  LogIntake second;
  for (const v1::LogLines& batch : {Lines(0, {"a", "b"}), Lines(4, {"e"})}) {
    second.Recall(*first.Take("A", 1, batch));
  }
  EXPECT_EQ(second.total(), first.total());
  // The next attempt sends on from where the job is, or from its beginning.
  LogIntake third = second;
  const auto on = second.Take("A", 2, Lines(5, {"f"}));
  EXPECT_THAT(on->lines(), ElementsAre("f"));
  EXPECT_EQ(on->first_seq(), first.total() + 1);
  EXPECT_FALSE(third.Take("A", 2, Lines(4, {"e"})).has_value());
}

}  // namespace
}  // namespace kinora
