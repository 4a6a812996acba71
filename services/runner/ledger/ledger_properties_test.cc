// What holds for every ledger, tried on random ones. A failure names its seed.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/ledger/ledger_ingestion.h"
#include "services/runner/ledger/log_lines.h"
#include "services/runner/ledger/random_ledger.h"
#include "services/runner/ledger/reduce.h"
#include "services/runner/ledger/snapshot_json.h"
#include "services/runner/ledger/status_words.h"

namespace kinora {
namespace {

constexpr uint64_t kSeeds = 400;
constexpr int kEvents = 60;

LedgerSnapshot Fold(LedgerSnapshot snapshot,
                    absl::Span<const v1::LedgerEvent> events) {
  for (const v1::LedgerEvent& event : events) Reduce(ViewOf(event), &snapshot);
  return snapshot;
}

std::vector<v1::LedgerEvent> Events(RandomLedger* random) {
  std::vector<v1::LedgerEvent> events;
  for (int i = 0; i < kEvents; ++i) events.push_back(random->Event());
  return events;
}

// Terminal is final, but a completed run may turn out to have failed.
void CheckStatus(const std::string& before, const std::string& after) {
  if (!IsTerminalStatus(before) || before == after) return;
  EXPECT_EQ(before, "completed");
  EXPECT_EQ(after, "failed");
}

// F: S2-31 (also where the snapshot was written and read between)
TEST(LedgerPropertiesTest, FoldMayStopAnywhere) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomLedger random(seed);
    const std::vector<v1::LedgerEvent> events = Events(&random);
    const auto all = absl::MakeConstSpan(events);
    const LedgerSnapshot begin = EmptySnapshot({.run_id = "r"});
    const size_t cut = random.Below(events.size() + 1);
    const LedgerSnapshot prefix = Fold(begin, all.first(cut));
    const std::string whole = SnapshotToJson(Fold(begin, all));
    EXPECT_EQ(SnapshotToJson(Fold(prefix, all.subspan(cut))), whole) << seed;
    const LedgerSnapshot read =
        SnapshotFromJson(*ParseJson(SnapshotToJson(prefix)));
    EXPECT_EQ(SnapshotToJson(Fold(read, all.subspan(cut))), whole) << seed;
  }
}

TEST(LedgerPropertiesTest, WhatNeverFallsBack) {  // F: S2-30, S2-34, S2-69
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    LedgerSnapshot now = EmptySnapshot({.run_id = "r"});
    for (const v1::LedgerEvent& event : Events(&random)) {
      const LedgerSnapshot before = now;
      Reduce(ViewOf(event), &now);
      EXPECT_GE(now.total_log_count, before.total_log_count);
      EXPECT_GE(now.updated_at.value_or(0), before.updated_at.value_or(0));
      EXPECT_GE(now.logs_truncated, before.logs_truncated);
      const std::vector<std::string>& order = before.steps.order();
      ASSERT_GE(now.steps.order().size(), order.size());
      EXPECT_TRUE(
          std::equal(order.begin(), order.end(), now.steps.order().begin()));
      EXPECT_LE(now.log_tail.size(), kLogTailLines);
      // A creation is let in once, and early, by ingestion.
      if (!event.has_run_created()) CheckStatus(before.status, now.status);
    }
  }
}

// F: S2-42 (and an event of a step leaves its status as it was, too)
TEST(LedgerPropertiesTest, EventThatComesTwiceLeavesTheStatus) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomLedger random(seed);
    LedgerSnapshot now = EmptySnapshot({.run_id = "r"});
    for (const v1::LedgerEvent& event : Events(&random)) {
      Reduce(ViewOf(event), &now);
      const std::string status = now.status;
      Reduce(ViewOf(event), &now);
      EXPECT_EQ(now.status, status) << seed << " " << event.ShortDebugString();
    }
  }
}

// F: S2-33, S2-65: the last running step and the last namespace are what a
// search through all steps would find.
TEST(LedgerPropertiesTest, LastStepsAreThoseASearchFinds) {
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    RandomLedger random(seed);
    LedgerSnapshot now = EmptySnapshot({.run_id = "r"});
    for (const v1::LedgerEvent& event : Events(&random)) {
      Reduce(ViewOf(event), &now);
      const LedgerStep* running = nullptr;
      const LedgerStep* named = nullptr;
      for (const std::string& id : now.steps.order()) {
        const LedgerStep* step = now.steps.Find(id);
        if (step->status == StepStatus::kRunning) running = step;
        if (!step->artefact_namespace.value_or("").empty()) named = step;
      }
      ASSERT_EQ(now.steps.LastRunning(), running) << seed;
      ASSERT_EQ(now.steps.LastWithNamespace(), named) << seed;
    }
  }
}

// Takes whatever ingestion does not refuse.
std::vector<v1::LedgerEvent> Offer(RandomLedger* random,
                                   LedgerIngestion* ingestion) {
  if (random->OneIn(4)) {
    auto taken = ingestion->TakePatch(random->Patch(), 2'000);
    EXPECT_OK(taken);
    return taken.value_or(std::vector<v1::LedgerEvent>());
  }
  return ingestion->Take({random->Event()}, 2'000)
      .value_or(std::vector<v1::LedgerEvent>());
}

// What ingestion lets in is a ledger that any reader reduces to what ingestion
// says, that holds what the reducer alone does not, and from which another
// process goes on.
TEST(LedgerPropertiesTest, IngestionIsAFoldOfItsLedger) {  // F: S2-9, S2-37
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    LedgerIngestion ingestion({.run_id = "r"});
    LedgerIngestion other({.run_id = "r"});
    LedgerSnapshot reader = EmptySnapshot({.run_id = "r"});
    for (int i = 0; i < kEvents; ++i) {
      const std::string status = reader.status;
      for (const v1::LedgerEvent& event : Offer(&random, &ingestion)) {
        Reduce(ViewOf(event), &reader);
        other.Recall(event);
      }
      CheckStatus(status, reader.status);
      ASSERT_EQ(SnapshotToJson(reader), SnapshotToJson(ingestion.snapshot()));
      // Both give the same for what comes next, so both know the same.
      if (random.OneIn(10)) ingestion = other;
    }
  }
}

TEST(LedgerPropertiesTest, PatchTwiceSaysNothingNew) {  // F: S2-89, S2-90
  for (uint64_t seed = 1; seed <= 2 * kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    LedgerIngestion ingestion({.run_id = "r"});
    for (int i = 0; i < 12; ++i) {
      if (random.OneIn(3)) Offer(&random, &ingestion);
      const RunPatch patch = random.Patch();
      ASSERT_OK(ingestion.TakePatch(patch, 2'000));
      ASSERT_OK_AND_ASSIGN(const auto again, ingestion.TakePatch(patch, 3'000));
      EXPECT_THAT(again, ::testing::IsEmpty())
          << again.front().ShortDebugString();
    }
  }
}

// A worker keeps its last lines and sends slices of them; answers get lost, so
// it sends again, and its buffer turns over before it has sent. Each line is
// in the log once, in order, or one loud line is in the place of some.
TEST(LedgerPropertiesTest,
     SlicesGiveEachLineOnceOrOneGap) {  // F: S2-76 to S2-80
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(seed);
    RandomLedger random(seed);
    LedgerIngestion ingestion({.run_id = "r"});
    LogBuffer buffer;
    std::vector<std::string> log;
    for (int i = 0; i < 80; ++i) {
      for (uint64_t n = random.Below(4); n > 0; --n) {
        ++buffer.total_count;
        buffer.lines.push_back(absl::StrCat("line ", buffer.total_count));
        if (buffer.lines.size() > 8) buffer.lines.erase(buffer.lines.begin());
      }
      const bool last = i == 79;
      const auto slice = UnsentLines(buffer);
      if (!slice.has_value() || (!last && random.OneIn(3))) continue;
      v1::LedgerEvent event;
      event.set_run_id("r");
      v1::LogAppendedEvent* lines = event.mutable_log_appended();
      lines->set_channel_offset(static_cast<int64_t>(slice->channel_offset));
      for (const std::string& line : slice->lines) lines->add_lines(line);
      for (uint64_t sent = 1 + random.Below(2); sent > 0; --sent) {
        ASSERT_OK_AND_ASSIGN(const auto taken, ingestion.Take({event}, 1));
        for (const v1::LedgerEvent& each : taken) {
          EXPECT_EQ(each.log_appended().first_seq(), log.size() + 1);
          for (const std::string& line : each.log_appended().lines()) {
            log.push_back(line);
          }
        }
      }
      // The answer may be lost.
      if (random.OneIn(2)) buffer.sent_count = buffer.total_count;
    }
    int64_t next = 1;
    for (const std::string& line : log) {
      int64_t missing = 0;
      if (std::sscanf(line.c_str(), "[kinora] %ld log lines", &missing) == 1) {
        next += missing;
      } else {
        ASSERT_EQ(line, absl::StrCat("line ", next++));
      }
    }
    EXPECT_EQ(next, static_cast<int64_t>(buffer.total_count) + 1);
    EXPECT_EQ(ingestion.snapshot().total_log_count, log.size());
  }
}

}  // namespace
}  // namespace kinora
