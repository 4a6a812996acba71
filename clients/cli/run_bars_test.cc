#include "clients/cli/run_bars.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cli/terminal_text.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

NodeView NodeOf(const std::string& name, int64_t total, int64_t done) {
  NodeView node;
  node.name = name;
  node.total = total;
  node.done = done;
  return node;
}

RunView SmallRun() {
  RunView run;
  run.nodes = {NodeOf("Script", 1, 1), NodeOf("Narration", 4, 1)};
  run.nodes[1].reused = 1;
  run.nodes[1].running = 2;
  run.nodes[1].message = "speaking";
  run.jobs_per_second = 0.4;
  run.costs.emplace_back();
  run.costs[0].set_currency_code("USD");
  run.costs[0].set_micros(120'000);
  run.eta = absl::Seconds(5);
  return run;
}

TEST(RunBarsTest, DrawsABarForEachNodeAndTheTotals) {
  EXPECT_THAT(DrawRun(SmallRun(), {.columns = 80, .rows = 24}),
              ElementsAre("  Script    [####################] 1/1",
                          "  Narration [##########----------] 2/4  1 reused  "
                          "2 running: speaking",
                          "  total 3/5  0.4 jobs/s  0.12 USD  ETA 5 s"));
}

TEST(RunBarsTest, ANarrowTerminalGetsShorterLines) {
  EXPECT_THAT(DrawRun(SmallRun(), {.columns = 40, .rows = 24}),
              ElementsAre("  Script    [########] 1/1",
                          "  Narration [####----] 2/4  1 reused  …",
                          "  total 3/5  0.4 jobs/s  0.12 USD  ETA…"));
  EXPECT_THAT(DrawRun(SmallRun(), {.columns = 22, .rows = 24}),
              ElementsAre("  Script  1/1", "  Narrat… 2/4  1 reu…",
                          "  total 3/5  0.4 job…"));
}

// A line that wraps would be one that is not found again when it is drawn over.
TEST(RunBarsTest, NothingIsWiderOrLongerThanTheScreen) {
  RunView run = SmallRun();
  run.grows = true;
  run.waiting = "budget";
  run.nodes.push_back(NodeOf("海の歌Überfahrt🎬", 1'000'000, 3));
  run.nodes[2].message = "日本語のとても長いメッセージ、画面より広い";
  run.nodes[2].running = 64;
  run.nodes[2].failed = 7;
  for (int columns = 1; columns < 120; ++columns) {
    for (int rows = 2; rows < 8; ++rows) {
      const std::vector<std::string> lines =
          DrawRun(run, {.columns = columns, .rows = rows});
      EXPECT_LT(lines.size(), static_cast<size_t>(rows));
      for (const std::string& line : lines) {
        EXPECT_LE(DisplayWidth(line), std::max(1, columns - 1)) << line;
      }
    }
  }
}

TEST(RunBarsTest, NamesOfAnyScriptLineUp) {
  RunView run;
  run.nodes = {NodeOf("海の歌", 2, 1), NodeOf("Ü", 2, 1)};
  EXPECT_THAT(
      DrawRun(run, {}),
      ElementsAre("  海の歌 [##########----------] 1/2",
                  "  Ü      [##########----------] 1/2", "  total 2/4"));
}

TEST(RunBarsTest, AMessageCannotMoveTheCursor) {
  RunView run;
  run.nodes = {NodeOf("A", 1, 0)};
  run.nodes[0].running = 1;
  run.nodes[0].message = "50 %\r\033[2Jdone\n";
  EXPECT_THAT(DrawRun(run, {})[0], HasSubstr("1 running: 50 %  [2Jdone "));
}

TEST(RunBarsTest, ARunWithoutJobsHasNoBars) {
  EXPECT_THAT(DrawRun(RunView(), {}), IsEmpty());
  // A node whose jobs are not known yet has an empty one.
  RunView run;
  run.nodes = {NodeOf("Scene", 0, 0)};
  run.grows = true;
  EXPECT_THAT(
      DrawRun(run, {}),
      ElementsAre("  Scene [--------------------] 0/0", "  total 0/0 or more"));
}

// Rounding must not say that all is done, or that nothing is.
TEST(RunBarsTest, OnlyWhatHasEndedIsFull) {
  RunView run;
  run.nodes = {NodeOf("A", 1000, 999), NodeOf("B", 1000, 1)};
  const std::vector<std::string> lines = DrawRun(run, {});
  EXPECT_EQ(lines[0], "  A [###################-] 999/1000");
  EXPECT_EQ(lines[1], "  B [#-------------------] 1/1000");
}

TEST(RunBarsTest, FewRowsShowWhatIsAtWork) {
  RunView run;
  for (int i = 0; i < 20; ++i) {
    run.nodes.push_back(NodeOf(absl::StrCat("N", i), 2, i < 10 ? 2 : 0));
  }
  run.nodes[12].running = 1;
  run.nodes[3].done = 1;
  run.nodes[3].failed = 1;
  EXPECT_THAT(DrawRun(run, {.columns = 80, .rows = 6}),
              ElementsAre("  N3  [####################] 2/2  1 failed",
                          "  N10 [--------------------] 0/2",
                          "  N12 [--------------------] 0/2  1 running",
                          "  and 17 more nodes 18/34", "  total 20/40"));
  EXPECT_THAT(DrawRun(run, {.columns = 80, .rows = 1}), SizeIs(1));
}

TEST(RunBarsTest, SaysForWhatItWaitsAndHowLong) {
  RunView run;
  run.nodes = {NodeOf("A", 400, 100)};
  run.waiting = "budget";
  run.jobs_per_second = 12.3;
  run.eta = absl::Seconds(4000);
  EXPECT_EQ(DrawRun(run, {})[1],
            "  total 100/400  waiting: budget  12 jobs/s  ETA 1h6m");
  run.eta = absl::Seconds(95.7);
  EXPECT_THAT(DrawRun(run, {})[1], HasSubstr("ETA 1m35s"));
}

}  // namespace
}  // namespace kinora
