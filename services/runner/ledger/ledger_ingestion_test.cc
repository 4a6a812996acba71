#include "services/runner/ledger/ledger_ingestion.h"

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/error_reason.h"
#include "common/testing/status_matchers.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Events = std::vector<v1::LedgerEvent>;

constexpr int64_t kNow = 50;

class LedgerIngestionTest : public ::testing::Test {
 protected:
  static v1::LedgerEvent Event(int64_t at = 1) {
    v1::LedgerEvent event;
    event.set_run_id("r");
    event.set_occurred_at_ms(at);
    return event;
  }
  static v1::LedgerEvent Started(const std::string& step) {
    v1::LedgerEvent event = Event();
    event.mutable_step_started()->mutable_step()->set_step_id(step);
    return event;
  }
  static v1::LedgerEvent Progress(const std::string& step, double completed) {
    v1::LedgerEvent event = Event();
    v1::StepProgressEvent* progress = event.mutable_step_progress();
    progress->mutable_step()->set_step_id(step);
    progress->mutable_progress()->set_completed(completed);
    return event;
  }
  static v1::LedgerEvent Created(const std::string& status) {
    v1::LedgerEvent event = Event();
    event.mutable_run_created()->set_status(status);
    return event;
  }
  static v1::LedgerEvent Completed() {
    v1::LedgerEvent event = Event();
    event.mutable_run_completed();
    return event;
  }
  static v1::LedgerEvent Lines(const std::vector<std::string>& lines) {
    v1::LedgerEvent event = Event();
    for (const std::string& line : lines) {
      event.mutable_log_appended()->add_lines(line);
    }
    return event;
  }

  Events Take(const v1::LedgerEvent& event) {
    auto taken = ingestion_.Take({event}, kNow);
    EXPECT_OK(taken);
    return taken.value_or(Events());
  }
  absl::Status Refused(const v1::LedgerEvent& event) {
    return ingestion_.Take({event}, kNow).status();
  }

  LedgerIngestion ingestion_{{.run_id = "r"}};
};

MATCHER_P(IsInvalid, part, "") {
  return ::testing::ExplainMatchResult(
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(part)), arg,
      result_listener);
}

TEST_F(LedgerIngestionTest, RunIsCreatedOnce) {  // F: S2-37
  EXPECT_THAT(Take(Created(" Pending")), SizeIs(1));
  EXPECT_EQ(ingestion_.snapshot().status, "queued");
  EXPECT_THAT(Refused(Created("queued")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("created before")));
  EXPECT_THAT(
      ingestion_.Take({Started("a"), Created("queued")}, kNow).status(),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("events[1]")));
}

TEST_F(LedgerIngestionTest, LateCreationDoesNotResurrect) {  // F: S2-37
  Take(Completed());
  const Events taken = Take(Created("running"));
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_FALSE(taken[0].run_created().has_status());
  EXPECT_EQ(ingestion_.snapshot().status, "completed");
}

TEST_F(LedgerIngestionTest, CreationAfterTheStartDoesNotQueueAgain) {
  Take(Started("a"));
  Take(Created("queued"));
  EXPECT_EQ(ingestion_.snapshot().status, "running");
}

TEST_F(LedgerIngestionTest, WhatReadersNeedNotCopeWithIsRefused) {  // F: S2-96
  v1::LedgerEvent event = Started("a");
  event.set_run_id("other");
  EXPECT_THAT(Refused(event), IsInvalid("run_id"));
  EXPECT_THAT(Refused(Event()), IsInvalid("kind"));
  event = Started("a");
  event.set_occurred_at_ms(-1);
  EXPECT_THAT(Refused(event), IsInvalid("occurred_at_ms"));
  EXPECT_THAT(Refused(Created("odd")), IsInvalid("status"));
  EXPECT_THAT(Refused(Created("")), IsInvalid("status"));
  EXPECT_THAT(Refused(Started(" \u00a0")), IsInvalid("step_id"));
  event = Progress("a", 1);
  event.mutable_step_progress()->set_status("succeeded");
  EXPECT_THAT(Refused(event), IsInvalid("status"));
  EXPECT_THAT(Refused(Progress("a", std::numeric_limits<double>::infinity())),
              IsInvalid("progress"));
  event = Completed();
  event.mutable_run_completed()->set_result_json("{");
  EXPECT_THAT(Refused(event), IsInvalid("result_json"));
  EXPECT_EQ(ingestion_.snapshot().updated_at, std::nullopt);
}

// One wrong event, and nothing of the batch is taken.
TEST_F(LedgerIngestionTest, RefusalChangesNothing) {
  EXPECT_THAT(
      ingestion_.Take({Started("a"), Lines({"x"}), Started("")}, kNow).status(),
      IsInvalid("events[2]"));
  EXPECT_THAT(ingestion_.snapshot().steps.all(), IsEmpty());
  EXPECT_EQ(Take(Lines({"x"}))[0].log_appended().first_seq(), 1);
}

TEST_F(LedgerIngestionTest, MissingTimeIsStamped) {  // F: S2-96
  v1::LedgerEvent event = Started("a");
  event.clear_occurred_at_ms();
  EXPECT_EQ(Take(event)[0].occurred_at_ms(), kNow);
}

TEST_F(LedgerIngestionTest, UnknownTypesComeInAsTheyAre) {  // F: S2-96
  v1::LedgerEvent event = Event();
  event.mutable_unknown()->set_type("run.exploded");
  event.mutable_unknown()->set_raw_json(R"({"type":"run.exploded","n":1})");
  const Events taken = Take(event);
  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].unknown().raw_json(), event.unknown().raw_json());
  EXPECT_EQ(ingestion_.snapshot().updated_at, std::nullopt);
}

TEST_F(LedgerIngestionTest, ProgressThatChangesNothingIsDropped) {  // F: S2-89
  EXPECT_THAT(Take(Progress("a", 1)), SizeIs(1));
  v1::LedgerEvent later = Progress("a", 1);
  later.set_occurred_at_ms(9);
  later.mutable_step_progress()->mutable_progress()->set_updated_at(9);
  EXPECT_THAT(Take(later), IsEmpty());
  EXPECT_EQ(ingestion_.snapshot().updated_at, 1);
  later.mutable_step_progress()->set_heartbeat_details("page 7");
  EXPECT_THAT(Take(later), SizeIs(1));
  EXPECT_THAT(Take(Progress("a", 2)), SizeIs(1));
}

TEST_F(LedgerIngestionTest, StepOfAnEndedRunDoesNotGoOn) {  // F: S2-51
  Take(Started("a"));
  Take(Completed());
  EXPECT_THAT(Take(Started("b")), IsEmpty());
  EXPECT_THAT(Take(Progress("a", 1)), IsEmpty());
  EXPECT_EQ(ingestion_.snapshot().active_step_id, std::nullopt);
  v1::LedgerEvent ended = Event();
  ended.mutable_step_completed()->mutable_step()->set_step_id("a");
  EXPECT_THAT(Take(ended), SizeIs(1));
}

TEST_F(LedgerIngestionTest, StatusOfAStepIsPutRight) {  // F: S2-11
  v1::LedgerEvent event = Progress("a", 1);
  event.mutable_step_progress()->set_status(" SKIPPED ");
  EXPECT_EQ(Take(event)[0].step_progress().status(), "skipped");
}

TEST_F(LedgerIngestionTest, LinesGetTheirNumbers) {  // F: S2-75
  v1::LedgerEvent placed = Lines({"a", "a"});
  placed.mutable_log_appended()->set_channel_offset(0);
  placed.mutable_log_appended()->set_channel("w");
  EXPECT_EQ(Take(placed)[0].log_appended().first_seq(), 1);
  EXPECT_THAT(Take(placed), IsEmpty());
  EXPECT_THAT(Take(Lines({"a", "a"})), IsEmpty());
  EXPECT_THAT(Take(Lines({"a", "a", "a"}))[0].log_appended().lines(),
              ElementsAre("a"));
  // As another ledger of the run has numbered them.
  v1::LedgerEvent numbered = Lines({"a", "b"});
  numbered.mutable_log_appended()->set_first_seq(3);
  const Events taken = Take(numbered);
  EXPECT_THAT(taken[0].log_appended().lines(), ElementsAre("b"));
  EXPECT_EQ(taken[0].log_appended().first_seq(), 4);
}

// The reducer adds a line of its own; those behind it are numbered on.
TEST_F(LedgerIngestionTest, LineAboutAConflictHasANumber) {  // F: S2-9, S2-43
  Take(Completed());
  v1::LedgerEvent cancelled = Event();
  cancelled.mutable_run_cancelled();
  Take(cancelled);
  EXPECT_EQ(Take(Lines({"x"}))[0].log_appended().first_seq(), 2);
  EXPECT_EQ(ingestion_.snapshot().total_log_count, 2);
}

// A worker that makes up a name for each report would have the run remember all
// of them.
TEST_F(LedgerIngestionTest, ChannelsOfARunHaveABound) {
  const auto line_of = [](size_t channel) {
    v1::LedgerEvent event = Lines({"connected"});
    event.set_occurred_at_ms(0);
    event.mutable_log_appended()->set_channel(absl::StrCat("c", channel));
    event.mutable_log_appended()->set_channel_offset(0);
    return event;
  };
  Events most;
  for (size_t i = 0; i + 1 < kMaxReportedChannels; ++i) {
    most.push_back(line_of(i));
  }
  ASSERT_OK(ingestion_.Take(most, kNow));
  // Of two that are new in one report the second is one too many, and a report
  // is taken whole or not at all.
  const absl::Status refused =
      ingestion_.Take({line_of(20'000), line_of(20'001)}, kNow).status();
  EXPECT_THAT(
      refused,
      StatusIs(absl::StatusCode::kResourceExhausted,
               HasSubstr("events[1]: log_appended.channel: \"c20001\"")));
  EXPECT_EQ(ReasonOf(refused), "LIMIT_EXCEEDED");
  EXPECT_THAT(Take(line_of(20'000)), SizeIs(1));
  EXPECT_EQ(ReasonOf(Refused(line_of(20'001))), "LIMIT_EXCEEDED");
  // Those that are known go on, and lines without a position need none.
  v1::LedgerEvent next = line_of(7);
  next.mutable_log_appended()->set_channel_offset(1);
  EXPECT_THAT(Take(next), SizeIs(1));
  v1::LedgerEvent unplaced = Lines({"by its text"});
  unplaced.mutable_log_appended()->set_channel("c20001");
  EXPECT_THAT(Take(unplaced), SizeIs(1));
}

TEST_F(LedgerIngestionTest, LostLinesOfAWorkerAreToldOnce) {  // F: S2-73
  v1::LedgerEvent lost = Lines({});
  lost.mutable_log_appended()->set_logs_truncated(true);
  EXPECT_THAT(Take(lost), SizeIs(1));
  EXPECT_TRUE(ingestion_.snapshot().logs_truncated);
  EXPECT_THAT(Take(lost), IsEmpty());
  // The log is not full: it goes on.
  EXPECT_THAT(Take(Lines({"x"})), SizeIs(1));
}

TEST_F(LedgerIngestionTest, PatchOfAnotherRunIsRefused) {  // F: S2-95
  RunPatch patch;
  patch.run_id = "other";
  EXPECT_THAT(ingestion_.TakePatch(patch, kNow).status(), IsInvalid("run_id"));
  patch.run_id = "r";
  patch.status = "odd";
  EXPECT_THAT(ingestion_.TakePatch(patch, kNow).status(), IsInvalid("status"));
}

TEST_F(LedgerIngestionTest, PatchBecomesEventsOnce) {  // F: S2-89, S2-90
  RunPatch patch;
  patch.run_id = "r";
  patch.status = "timeout";
  patch.live_logs = {"a"};
  LedgerProgress progress;
  progress.started_at = 3;
  progress.completed_at = 7;
  patch.live_node_progress.emplace_back("a", progress);
  ASSERT_OK_AND_ASSIGN(const Events first, ingestion_.TakePatch(patch, kNow));
  EXPECT_THAT(first, SizeIs(5));
  EXPECT_EQ(ingestion_.snapshot().status, "failed");
  EXPECT_EQ(ingestion_.snapshot().finished_at, 7);
  ASSERT_OK_AND_ASSIGN(const Events again, ingestion_.TakePatch(patch, kNow));
  EXPECT_THAT(again, IsEmpty());
}

}  // namespace
}  // namespace kinora
