#include "services/runner/ledger/run_log.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

RunLog::Lines Lines(const std::vector<std::string>& lines) {
  return RunLog::Lines(lines.begin(), lines.end());
}

// Lines that the log is too long for begin at this one.
void Fill(RunLog* log) {
  std::vector<std::string> lines;
  for (int64_t i = 0; i < kMaxStoredLogLines; ++i) {
    lines.push_back(absl::StrCat("line ", i));
  }
  const auto event = log->TakeAt("A", 0, Lines(lines));
  ASSERT_EQ(event->lines_size(), kMaxStoredLogLines);
  ASSERT_TRUE(log->truncated());
}

// F: S2-75, S2-76, S2-78, S2-80
TEST(RunLogTest, ChannelsHavePlacesOfTheirOwn) {
  RunLog log;
  EXPECT_EQ(log.TakeAt("A", 0, Lines({"a", "b"}))->first_seq(), 1);
  EXPECT_EQ(log.TakeAt("B", 0, Lines({"a"}))->first_seq(), 3);
  const auto on = log.TakeAt("A", 1, Lines({"b", "c"}));
  EXPECT_THAT(on->lines(), ElementsAre("c"));
  EXPECT_EQ(on->channel_offset(), 2);
  EXPECT_EQ(on->first_seq(), 4);
  const auto gap = log.TakeAt("B", 5, Lines({"f"}));
  EXPECT_THAT(gap->lines(), ElementsAre(HasSubstr("4 log lines of B"), "f"));
  EXPECT_EQ(log.taken("B"), 6);
  // A gap is told once.
  EXPECT_FALSE(log.TakeAt("B", 1, Lines({"b", "c"})).has_value());
  EXPECT_FALSE(log.TakeAt("B", 90, Lines({})).has_value());
}

TEST(RunLogTest, OffsetsOutOfAllBoundsAreCut) {
  RunLog log;
  EXPECT_THAT(log.TakeAt("A", -5, Lines({"a"}))->lines(), ElementsAre("a"));
  const auto far = log.TakeAt("A", INT64_MAX, Lines({"z"}));
  EXPECT_THAT(far->lines(), ElementsAre(HasSubstr("are missing"), "z"));
}

TEST(RunLogTest, ManyChannelsOutOfAllBoundsDoNotOverflowTheCount) {
  RunLog log;
  Fill(&log);
  int64_t last = log.total();
  for (int i = 0; i < 2'000; ++i) {
    const std::string channel = absl::StrCat("channel ", i);
    log.TakeAt(channel, INT64_MAX, Lines({"z"}));
    ASSERT_GE(log.total(), last);
    last = log.total();
  }
  EXPECT_EQ(last, int64_t{1} << 53);
}

// The reducer trims as ECMAScript does, and drops what is blank then.
TEST(RunLogTest, LineOfAnySpacesKeepsItsPlace) {  // F: S2-72
  RunLog log;
  EXPECT_THAT(log.TakeAt("A", 0, Lines({"\u00a0\u3000", " b"}))->lines(),
              ElementsAre("(blank log line)", " b"));
}

TEST(RunLogTest, NumberedLinesAreTakenOnceAndKeepTheirNumbers) {  // F: S2-70
  RunLog log;
  EXPECT_EQ(log.TakeNumbered(1, Lines({"a", "b"}))->first_seq(), 1);
  const auto overlap = log.TakeNumbered(2, Lines({"b", "c"}));
  EXPECT_THAT(overlap->lines(), ElementsAre("c"));
  EXPECT_EQ(overlap->first_seq(), 3);
  EXPECT_FALSE(log.TakeNumbered(1, Lines({"a", "b", "c"})).has_value());
  // The loud line has the last of the missing numbers.
  const auto gap = log.TakeNumbered(8, Lines({"h"}));
  EXPECT_THAT(gap->lines(), ElementsAre(HasSubstr("4 log lines are"), "h"));
  EXPECT_EQ(gap->first_seq(), 7);
  EXPECT_EQ(log.total(), 8);
}

TEST(RunLogTest, LinesWithoutPlacesAreComparedByText) {  // F: S2-77
  RunLog log;
  log.TakeAt("A", 0, Lines({"a", "same", "same"}));
  const auto found =
      log.TakeByText("recovery", Lines({" same ", "same", "same", "", "b"}));
  EXPECT_THAT(found->lines(), ElementsAre("same", "b"));
  EXPECT_EQ(found->first_seq(), 4);
  EXPECT_FALSE(found->has_channel_offset());
  EXPECT_FALSE(log.TakeByText("recovery", Lines({"same", "same", "same", "b"}))
                   .has_value());
}

TEST(RunLogTest, WindowOfTextsIsBounded) {  // F: S2-77
  RunLog log;
  log.TakeByText("", Lines({"old"}));
  std::vector<std::string> many;
  for (size_t i = 0; i < kLogTextWindow; ++i) {
    many.push_back(absl::StrCat("line ", i));
  }
  log.TakeByText("", Lines(many));
  EXPECT_FALSE(log.TakeByText("", Lines(many)).has_value());
  EXPECT_THAT(log.TakeByText("", Lines({"old"}))->lines(), ElementsAre("old"));
}

TEST(RunLogTest, FiveMegabytesAreFullToo) {  // F: S2-8
  RunLog log;
  int64_t bytes = 0;
  std::string last;
  for (int i = 0; i < 400; ++i) {
    const auto event = log.TakeAt("A", i, Lines({std::string(20'000, 'x')}));
    if (!event.has_value()) continue;
    for (const std::string& line : event->lines()) {
      bytes += static_cast<int64_t>(line.size());
      last = line;
    }
  }
  EXPECT_TRUE(log.truncated());
  EXPECT_LE(bytes, kMaxStoredLogBytes);
  EXPECT_GT(bytes, kMaxStoredLogBytes - 20'000);
  EXPECT_THAT(last, HasSubstr("the log is full"));
  EXPECT_EQ(log.total(), 400);
}

// Readers go on counting, without an event for each line.
TEST(RunLogTest, FullLogTellsItsCountByTheThousand) {  // F: S2-8
  RunLog log;
  Fill(&log);
  int64_t events = 0;
  int64_t told = 0;
  for (int64_t i = 0; i < 10 * kCountedLinesATime; ++i) {
    const auto event = log.TakeAt("A", kMaxStoredLogLines + i, Lines({"more"}));
    if (!event.has_value()) continue;
    ++events;
    EXPECT_TRUE(event->lines().empty());
    told = event->first_seq() - 1;
  }
  EXPECT_EQ(events, 10);
  EXPECT_EQ(told, log.total());
  EXPECT_EQ(log.total(), kMaxStoredLogLines + 10 * kCountedLinesATime);
}

// A process that takes over may not know of some lines that were counted; what
// the workers send next tells how many there were.
TEST(RunLogTest, CountOfAFullLogIsExactAfterATakeOver) {  // F: S2-8
  RunLog log;
  Fill(&log);
  RunLog next;
  {
    RunLog again;
    std::vector<std::string> lines;
    for (int64_t i = 0; i < kMaxStoredLogLines; ++i) {
      lines.push_back(absl::StrCat("line ", i));
    }
    next.Recall(*again.TakeAt("A", 0, Lines(lines)));
  }
  int64_t at_a = kMaxStoredLogLines;
  int64_t at_b = 0;
  for (int i = 0; i < 7'777; ++i) {
    auto event = i % 3 == 0 ? log.TakeAt("B", at_b++, Lines({"b"}))
                            : log.TakeAt("A", at_a++, Lines({"a"}));
    if (event.has_value()) next.Recall(*event);
  }
  EXPECT_LT(next.total(), log.total());
  for (RunLog* each : {&log, &next}) {
    each->TakeAt("A", at_a, Lines({"a"}));
    each->TakeAt("B", at_b, Lines({"b"}));
  }
  EXPECT_EQ(next.total(), log.total());
  EXPECT_EQ(log.total(), kMaxStoredLogLines + 7'777 + 2);
}

// Who reports by the request tells with each how many lines there are.
TEST(RunLogTest, CountOfAFullLogCanBeToldAtOnce) {  // F: S2-8
  RunLog log;
  EXPECT_TRUE(log.TellCounted().empty());
  Fill(&log);
  log.TakeAt("B", 0, Lines({"b", "b"}));
  log.TakeAt("A", kMaxStoredLogLines, Lines({"a"}));
  log.TakeByText("", Lines({"c"}));
  const std::vector<v1::LogAppendedEvent> told = log.TellCounted();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told[2].first_seq(), log.total() + 1);
  EXPECT_EQ(told[2].channel(), "B");
  EXPECT_EQ(told[2].channel_offset(), 2);
  EXPECT_TRUE(log.TellCounted().empty());
  // The same from the ledger.
  RunLog next;
  for (const v1::LogAppendedEvent& event : told) next.Recall(event);
  EXPECT_EQ(next.total(), log.total());
  EXPECT_EQ(next.taken("A"), kMaxStoredLogLines + 1);
}

// Others have put lines into the ledger before the log's own were there.
TEST(RunLogTest, LogGivesNumbersUpToOthers) {  // F: S2-9, S2-75
  RunLog log;
  log.TakeAt("A", 0, Lines({"a", "b"}));
  v1::LogAppendedEvent theirs;
  theirs.set_first_seq(1);
  for (int i = 0; i < 3; ++i) theirs.add_lines("x");
  theirs.set_channel("A");
  theirs.set_channel_offset(0);
  log.GiveWay(theirs, 3);
  EXPECT_EQ(log.total(), 5);
  // Their channel is another one.
  EXPECT_EQ(log.taken("A"), 2);
  EXPECT_EQ(log.TakeAt("A", 2, Lines({"c"}))->first_seq(), 6);
}

}  // namespace
}  // namespace kinora
