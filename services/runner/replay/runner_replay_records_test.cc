// Replays of records that were changed or lack something, and of runs that came
// to nothing.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/content.h"
#include "common/error_reason.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_replay_fixture.h"
#include "services/store/layout.h"
#include "services/store/testing/forwarding_event_store.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using RunnerReplayRecordsTest = RunnerReplayFixture;

// Tells of another output of one artefact than its producer made.
class ForgedEvents final : public ForwardingEventStore {
 public:
  using ForwardingEventStore::ForwardingEventStore;

  absl::StatusOr<v1::ReadEventsResponse> ReadPage(
      const v1::ReadEventsRequest& request) override {
    absl::StatusOr<v1::ReadEventsResponse> page =
        ForwardingEventStore::ReadPage(request);
    if (!page.ok()) return page;
    for (v1::Event& event : *page->mutable_events()) {
      if (event.artefact().artefact_id() != "Artifact:BText") continue;
      *event.mutable_artefact()->mutable_output() =
          InlineContent("text/plain", "forged");
    }
    return page;
  }
};

// F: S3-23
TEST_F(RunnerReplayRecordsTest, ARecordThatWasChangedIsFoundOut) {
  MakeMovie(Chain("{}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  ForgedEvents forged(store().events);
  RunnerProcess other(forged.Within(store()), clock_, {});
  ASSERT_OK_AND_ASSIGN(
      const v1::ReplayRunResponse replay,
      other.dry_runs().Replay(RequestOf(run.record().run_id())));
  EXPECT_FALSE(replay.identical());
  EXPECT_EQ(replay.status(), v1::RUN_STATUS_FAILED);
  EXPECT_EQ(replay.manifest_hash(), "");
  EXPECT_EQ(replay.recorded_manifest_hash(), CurrentOf(store()).hash());
  // Nobody ever read the forged text.
  EXPECT_THAT(Differences(replay),
              ElementsAre("B OUTPUT Artifact:BText", "C NOT_RECORDED"));
  EXPECT_EQ(replay.unrecorded_jobs(), 1);
  EXPECT_EQ(other.calls(), 0);
}

TEST_F(RunnerReplayRecordsTest, ABlobThatIsGoneIsNamed) {
  MakeMovie(Chain("{bytes: 9000}"));
  const std::string run_id = RunToEnd(StartRequest()).record().run_id();
  v1::ResolveArtefactsRequest resolve;
  resolve.set_movie_id("film");
  resolve.add_queries()->set_artefact_id("Artifact:AText");
  ASSERT_OK_AND_ASSIGN(const v1::ResolveArtefactsResponse found,
                       store().events.ResolveArtefacts(resolve));
  const std::string hash =
      ContentHash(found.artefacts(0).event().artefact().output());
  ASSERT_OK(storage_.Delete(BlobKey("film", hash)));
  const absl::Status refused =
      process_->dry_runs().Replay(RequestOf(run_id)).status();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr(hash), HasSubstr("Artifact:AText"))));
  EXPECT_EQ(ReasonOf(refused), "BLOB_NOT_FOUND");
}

// A checkpoint keeps what the movie is, not what it was on the way.
TEST_F(RunnerReplayRecordsTest, WhatACheckpointRemovedIsNotReplayed) {
  MakeMovie(Chain("{}"));
  const std::string first =
      RunToEnd(StartRequest({{"Topic", "moon"}})).record().run_id();
  const std::string second =
      RunToEnd(StartRequest({{"Topic", "sun"}})).record().run_id();
  MovieAfter(second);
  v1::CheckpointMovieRequest checkpoint;
  checkpoint.set_movie_id("film");
  checkpoint.set_remove_covered_logs(true);
  ASSERT_OK(store().maintenance.CheckpointMovie(checkpoint));
  for (const std::string& run_id : {first, second}) {
    const absl::Status refused =
        process_->dry_runs().Replay(RequestOf(run_id)).status();
    EXPECT_THAT(refused, StatusIs(absl::StatusCode::kOutOfRange,
                                  HasSubstr("checkpoint")));
    EXPECT_EQ(ReasonOf(refused), "LOG_TRIMMED");
  }
  // What came after it has all that it began with.
  EXPECT_EQ(
      ExpectSame(RunToEnd(StartRequest({{"Side", "right"}}))).answered_jobs(),
      1);
}

// F: S3-15 It has no manifest, so its jobs are what is held to.
TEST_F(RunnerReplayRecordsTest, ARunThatFailedFailsAsItDid) {
  MakeMovie(Chain("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  const int64_t called = calls();
  for (int64_t from = 0; from <= run.last_sequence(); ++from) {
    SCOPED_TRACE(from);
    const v1::ReplayRunResponse replay =
        Replay(RequestOf(run.record().run_id(), from));
    EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
    EXPECT_EQ(replay.recorded_status(), v1::RUN_STATUS_FAILED);
    EXPECT_EQ(replay.status(), v1::RUN_STATUS_FAILED);
    EXPECT_EQ(replay.recorded_manifest_hash(), "");
    EXPECT_EQ(replay.manifest_hash(), "");
    EXPECT_LE(replay.answered_jobs(), 2);
  }
  EXPECT_EQ(calls(), called);
}

// It proves nothing about jobs, and nobody makes it again.
TEST_F(RunnerReplayRecordsTest, WhatOutsideWorkersReportIsNotReplayed) {
  MakeMovie(Chain("{fail_attempts: 9, fail_code: INVALID_ARGUMENT}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  v1::IngestLedgerEventsRequest report;
  report.set_run_id(run.record().run_id());
  for (const char* step : {"upload", "C"}) {
    v1::LedgerEvent* event = report.add_events();
    event->set_occurred_at_ms(1);
    event->mutable_step_completed()->mutable_step()->set_step_id(step);
  }
  ASSERT_OK_AND_ASSIGN(const v1::IngestLedgerEventsResponse taken,
                       runner().Ingest(report));
  ASSERT_EQ(taken.appended(), 2);
  for (const int64_t from : {int64_t{0}, taken.last_sequence()}) {
    SCOPED_TRACE(from);
    const v1::ReplayRunResponse replay =
        Replay(RequestOf(run.record().run_id(), from));
    EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
    EXPECT_THAT(Differences(replay), IsEmpty());
  }
}

TEST_F(RunnerReplayRecordsTest, OfARunThatWasCutShortWhatHadEndedIsTheSame) {
  MakeMovie(Chain("{}", "{delay_ms: 3600000}"));
  const std::string run_id = Start();
  int ends = 0;
  Ledger(run_id, [&ends](const v1::LedgerEvent& event) {
    return event.has_step_completed() && ++ends == 2;
  });
  Ledger(run_id, [](const v1::LedgerEvent& event) {
    return event.step_started().step().step_id() == "B";
  });
  v1::CancelRunRequest cancel;
  cancel.set_run_id(run_id);
  ASSERT_OK(runner().Cancel(cancel));
  Finish(run_id);
  const v1::ReplayRunResponse replay = Replay(RequestOf(run_id));
  EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
  EXPECT_EQ(replay.recorded_status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_EQ(replay.answered_jobs(), 2);
  EXPECT_EQ(replay.unrecorded_jobs(), 1);
}

TEST_F(RunnerReplayRecordsTest, IsNoHindranceToARun) {
  MakeMovie(Chain("{}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  v1::SetBlueprintRequest set;
  set.set_movie_id("film");
  set.set_blueprint(Chain("{delay_ms: 3600000}"));
  ASSERT_OK(store().movies.SetBlueprint(set));
  const std::string active = Start();
  EXPECT_EQ(ExpectSameBesideOthers(run).answered_jobs(), 4);
  EXPECT_EQ(Get(active).record().status(), v1::RUN_STATUS_RUNNING);
  const absl::Status refused =
      process_->dry_runs().Replay(RequestOf(active)).status();
  EXPECT_EQ(ReasonOf(refused), "RUN_ACTIVE");
  EXPECT_THAT(refused.message(), HasSubstr("has not ended"));
}

TEST_F(RunnerReplayRecordsTest, RefusesWhatIsNoRecord) {
  MakeMovie(Chain("{}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  DryRuns& dry_runs = process_->dry_runs();
  EXPECT_EQ(ReasonOf(dry_runs.Replay(RequestOf(std::string(kRun1))).status()),
            "RUN_NOT_FOUND");
  EXPECT_THAT(dry_runs.Replay(RequestOf("nonsense")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(dry_runs.Replay(RequestOf(run.record().run_id(), -1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
  const absl::Status late =
      dry_runs.Replay(RequestOf(run.record().run_id(), run.last_sequence() + 1))
          .status();
  EXPECT_EQ(ReasonOf(late), "SEQUENCE_MISMATCH");
  EXPECT_THAT(
      dry_runs.Replay(RequestOf(run.record().run_id(), 0, {{"Tpoic", "moon"}})),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("Tpoic")));
  v1::StartRunRequest dry = StartRequest();
  dry.set_dry_run(true);
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse ended, dry_runs.Start(dry));
  EXPECT_THAT(
      dry_runs.Replay(RequestOf(ended.run().run_id())),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("dry run")));
  dry_runs.Stop();
  EXPECT_THAT(dry_runs.Replay(RequestOf(run.record().run_id())),
              StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace kinora
