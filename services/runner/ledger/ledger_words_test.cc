// Status words, white space, and the set of positions.

#include <cstddef>
#include <set>
#include <string>

#include "gtest/gtest.h"

#include "common/random.h"
#include "services/runner/ledger/position_set.h"
#include "services/runner/ledger/status_words.h"
#include "services/runner/ledger/trimmed_text.h"

namespace kinora {
namespace {

TEST(TrimmedTextTest, WhiteSpaceIsThatOfEcmaScript) {  // F: S2-12
  for (const char* space :
       {" ", "\t", "\n", "\v", "\f", "\r", "\u00a0", "\u1680", "\u2000",
        "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\ufeff"}) {
    const std::string padded = std::string(space) + "a" + space + "b" + space;
    EXPECT_EQ(TrimmedText(padded), std::string("a") + space + "b") << padded;
    EXPECT_TRUE(IsBlankText(space));
  }
  for (const char* other : {"\u0085", "\u180e", "\u200b", "\u2030", "\u00a1",
                            "\xA0", "\x80\x80", "\xE2\x80"}) {
    EXPECT_EQ(TrimmedText(other), other);
  }
  EXPECT_EQ(TrimmedText(std::string("\0 ", 2)), std::string("\0", 1));
}

TEST(StatusWordsTest, RunsHaveOtherNames) {  // F: S2-1, S2-10
  EXPECT_EQ(NormalizedRunStatus(" PENDING\n"), "queued");
  EXPECT_EQ(NormalizedRunStatus("Timed_Out"), "timed_out");
  EXPECT_EQ(NormalizedRunStatus("timed out"), "unknown");
  EXPECT_EQ(NormalizedRunStatus(""), "unknown");
  for (const char* word :
       {"completed", "failed", "cancelled", "terminated", "timed_out"}) {
    EXPECT_TRUE(IsTerminalStatus(NormalizedRunStatus(word))) << word;
  }
  for (const char* word : {"queued", "running", "waiting", "unknown", ""}) {
    EXPECT_FALSE(IsTerminalStatus(NormalizedRunStatus(word))) << word;
  }
  EXPECT_FALSE(IsTerminalStatus("Failed"));
}

TEST(StatusWordsTest, StepsHaveFourAndNoOtherNames) {  // F: S2-2, S2-11
  for (const StepStatus status : {StepStatus::kRunning, StepStatus::kCompleted,
                                  StepStatus::kFailed, StepStatus::kSkipped}) {
    EXPECT_EQ(StepStatusOf(StepStatusWord(status)), status);
  }
  EXPECT_EQ(StepStatusOf(" Skipped "), StepStatus::kSkipped);
  for (const char* word : {"complete", "succeeded", "pending", "error", ""}) {
    EXPECT_EQ(StepStatusOf(word), std::nullopt) << word;
  }
}

TEST(PositionSetTest, KnowsItsLargest) {
  SeededRandom random(7);
  PositionSet positions;
  std::set<size_t> truth;
  EXPECT_EQ(positions.Last(), std::nullopt);
  for (int i = 0; i < 200'000; ++i) {
    // It grows, by and by, past what two levels hold.
    const size_t position = UniformBelow(random, 1 + static_cast<uint64_t>(i));
    if (UniformBelow(random, 3) == 0) {
      positions.Add(position);
      truth.insert(position);
    } else {
      const size_t gone = truth.empty() ? position : *truth.rbegin();
      positions.Remove(gone);
      truth.erase(gone);
    }
    if (truth.empty()) {
      ASSERT_EQ(positions.Last(), std::nullopt);
    } else {
      ASSERT_EQ(positions.Last(), *truth.rbegin());
    }
  }
  positions.Remove(size_t{1} << 40);
}

}  // namespace
}  // namespace kinora
