// Runs that are carried out again from their record: nobody is called, and they
// come to what they came to.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/content.h"
#include "common/cost_text.h"
#include "common/error_reason.h"
#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "services/runner/dry_runs.h"
#include "services/runner/testing/runner_questions_fixture.h"
#include "services/store/layout.h"
#include "services/store/testing/forwarding_event_store.h"
#include "services/store/testing/movie_copies.h"

namespace kinora {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunnerReplayTest : public RunnerQuestionsFixture {
 protected:
  static v1::ReplayRunRequest RequestOf(
      const std::string& run_id, int64_t from = 0,
      const std::map<std::string, std::string>& texts = {}) {
    v1::ReplayRunRequest request;
    request.set_run_id(run_id);
    request.set_from_sequence(from);
    *request.mutable_edits() = StartRequest(texts).edits();
    return request;
  }

  v1::ReplayRunResponse Replay(const v1::ReplayRunRequest& request) {
    const absl::StatusOr<v1::ReplayRunResponse> replay =
        process_->dry_runs().Replay(request);
    EXPECT_OK(replay);
    return replay.ok() ? *replay : v1::ReplayRunResponse();
  }

  // That the run comes to the same again, and nobody is called meanwhile;
  // returns what else there is to say.
  v1::ReplayRunResponse ExpectSame(const v1::RunSnapshot& run,
                                   int64_t from = 0) {
    const int64_t called = calls();
    const v1::ReplayRunResponse replay = ExpectSameBesideOthers(run, from);
    EXPECT_EQ(calls(), called);
    return replay;
  }

  // As ExpectSame(), while other runs call their producers.
  v1::ReplayRunResponse ExpectSameBesideOthers(const v1::RunSnapshot& run,
                                               int64_t from = 0) {
    const v1::ReplayRunResponse replay =
        Replay(RequestOf(run.record().run_id(), from));
    EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
    EXPECT_EQ(replay.recorded_status(), v1::RUN_STATUS_COMPLETED);
    EXPECT_EQ(replay.status(), v1::RUN_STATUS_COMPLETED) << replay.error();
    EXPECT_NE(replay.manifest_hash(), "");
    EXPECT_EQ(replay.manifest_hash(), replay.recorded_manifest_hash());
    EXPECT_EQ(replay.unrecorded_jobs(), 0);
    EXPECT_EQ(replay.producer_calls(), 0);
    return replay;
  }

  // From each event of its ledger on.
  void ExpectSameFromEverywhere(const v1::RunSnapshot& run, int64_t jobs) {
    for (int64_t from = 0; from <= run.last_sequence(); ++from) {
      SCOPED_TRACE(from);
      const v1::ReplayRunResponse replay = ExpectSame(run, from);
      EXPECT_EQ(replay.answered_jobs() + replay.checkpoint_jobs(), jobs);
    }
  }

  // "JOB KIND[ ARTEFACT]" of each difference.
  static std::vector<std::string> Differences(
      const v1::ReplayRunResponse& replay) {
    std::vector<std::string> all;
    for (const v1::ReplayDifference& difference : replay.differences()) {
      all.push_back(
          absl::StrCat(difference.job_id(), " ",
                       v1::ReplayDifferenceKind_Name(difference.kind())
                           .substr(sizeof("REPLAY_DIFFERENCE_KIND_") - 1),
                       difference.artefact_id().empty() ? "" : " ",
                       difference.artefact_id()));
    }
    return all;
  }

  // "JOB[ COST]" of each call that a fork would make.
  static std::vector<std::string> Calls(const v1::ReplayRunResponse& fork) {
    std::vector<std::string> all;
    for (const v1::ReplayCall& call : fork.calls()) {
      all.push_back(
          absl::StrCat(call.job_id(), call.has_cost() ? " " : "",
                       call.has_cost() ? FormatCost(call.cost()) : ""));
    }
    return all;
  }

  // What the movie has, once the run's record is written, too.
  std::string MovieAfter(const std::string& run_id) {
    AwaitRecord(run_id, [](const v1::RunRecord& record) {
      return IsTerminal(record.status());
    });
    absl::StatusOr<std::string> copy = CopyOf(store(), "film");
    EXPECT_OK(copy);
    return copy.ok() ? *copy : "";
  }
};

// F: S3-23
TEST_F(RunnerReplayTest, ComesToTheSameManifestAndLeavesNothing) {
  MakeMovie(Chain("{bytes: 9000}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "moon"}}));
  const std::string before = MovieAfter(run.record().run_id());
  // The lease is given up after all else.
  runner().Drain(kPatience);
  const v1::ReplayRunResponse replay = ExpectSame(run);
  EXPECT_EQ(replay.run_id(), run.record().run_id());
  EXPECT_EQ(replay.recorded_revision(), "rev-0001");
  EXPECT_EQ(replay.manifest_hash(), CurrentOf(store()).hash());
  EXPECT_EQ(replay.answered_jobs(), 4);
  EXPECT_EQ(replay.reused_jobs(), 0);
  EXPECT_THAT(CopyOf(store(), "film"), IsOkAndHolds(before));
  v1::GetLeaseRequest lease;
  lease.set_lease_id("movie/film");
  ASSERT_OK_AND_ASSIGN(const v1::GetLeaseResponse held,
                       store().leases.Get(lease));
  EXPECT_FALSE(held.has_lease());
}

// F: S3-23
TEST_F(RunnerReplayTest, FanInRetriesAndJobsThatWereNotKnownAtFirst) {
  MakeMovie(
      Scenes(R"({text: '["a", "b", "c"]'})", "{fail_attempts: 1, salt: x}"));
  const v1::RunSnapshot run = RunToEnd(StartRequest());
  EXPECT_EQ(calls(), 1 + 2 * 3 + 1);
  EXPECT_EQ(ExpectSame(run).answered_jobs(), 1 + 3 + 1);
}

// F: S3-23 The answer is part of what the job made.
TEST_F(RunnerReplayTest, NobodyIsAskedAgain) {
  MakeMovie(Asking(kText));
  const std::string run_id = Start();
  Ledger(run_id, WaitsFor("question"));
  ASSERT_OK(Answer(run_id, "\"the white one\""));
  const v1::RunSnapshot run = Finish(run_id);
  ASSERT_EQ(run.record().published_revision(), "rev-0001");
  EXPECT_EQ(ExpectSame(run).answered_jobs(), 3);
  EXPECT_THAT(Questions(), IsEmpty());
}

// F: S3-23 Each run with what it had, whatever came after it.
TEST_F(RunnerReplayTest, ReusesWhatTheRunReusedAndNothingOfLaterRuns) {
  MakeMovie(Chain("{bytes: 9000}", "{bytes: 9001}"));
  const v1::RunSnapshot first = RunToEnd(StartRequest({{"Topic", "moon"}}));
  const v1::RunSnapshot second = RunToEnd(StartRequest({{"Topic", "sun"}}));
  const v1::RunSnapshot third =
      RunToEnd(StartRequest({{"Topic", "moon"}, {"Side", "right"}}));
  EXPECT_EQ(ExpectSame(first).answered_jobs(), 4);
  EXPECT_EQ(ExpectSame(second).answered_jobs(), 3);
  const v1::ReplayRunResponse again = ExpectSame(third);
  EXPECT_EQ(again.recorded_revision(), "rev-0003");
  EXPECT_EQ(again.answered_jobs(), 1);
  EXPECT_EQ(again.reused_jobs(), 3);
  // There is nothing to publish.
  const v1::ReplayRunResponse nothing = ExpectSame(RunToEnd(StartRequest()));
  EXPECT_EQ(nothing.recorded_revision(), "");
  EXPECT_EQ(nothing.answered_jobs(), 0);
}

// F: S3-23, Invariant 7
TEST_F(RunnerReplayTest, WhatCameOutTheSameIsNotMadeFrom) {
  MakeMovie(Chain("{text: the same}"));
  RunToEnd(StartRequest({{"Topic", "moon"}}));
  const v1::RunSnapshot run = RunToEnd(StartRequest({{"Topic", "sun"}}));
  EXPECT_EQ(calls(), 4 + 1);
  EXPECT_EQ(ExpectSame(run).answered_jobs(), 1);
}

// F: S3-14, S3-23, Invariant 13
TEST_F(RunnerReplayTest, EveryCheckpointLeadsToTheSame) {
  MakeMovie(Chain("{fail_attempts: 1}"));
  ExpectSameFromEverywhere(RunToEnd(StartRequest({{"Topic", "moon"}})), 4);
}

// F: S3-14, S3-23, Invariant 13
TEST_F(RunnerReplayTest, EveryCheckpointOfADeferredGroupLeadsToTheSame) {
  MakeMovie(Scenes(R"({text: '["a", "b"]'})"));
  ExpectSameFromEverywhere(RunToEnd(StartRequest()), 1 + 2 + 1);
}

constexpr char kPriced[] = R"(
blueprint: priced
inputs:
  Topic: {type: text, default: "sea"}
  Side: {type: text, default: "left"}
nodes:
  A:
    producer: sim
    inputs: {topic: "Input:Topic"}
    outputs: {AText: text/plain}
  D:
    producer: sim
    price: {min: 0.01, max: 0.02, currency: USD}
    inputs: {a: AText, side: "Input:Side"}
    outputs: {DText: text/plain}
outputs: [DText]
)";

// F: S3-23
TEST_F(RunnerReplayTest, AForkNamesWhatItWouldCallAndCallsNobody) {
  MakeMovie(kPriced);
  const std::string run_id =
      RunToEnd(StartRequest({{"Topic", "moon"}})).record().run_id();
  const std::string before = MovieAfter(run_id);
  const v1::ReplayRunResponse fork =
      Replay(RequestOf(run_id, 0, {{"Side", "right"}}));
  EXPECT_EQ(fork.status(), v1::RUN_STATUS_COMPLETED) << fork.error();
  EXPECT_FALSE(fork.identical());
  EXPECT_THAT(Calls(fork), ElementsAre("D 0.02 USD"));
  ASSERT_EQ(fork.calls_cost_size(), 1);
  EXPECT_EQ(FormatCost(fork.calls_cost(0)), "0.02 USD");
  EXPECT_EQ(fork.answered_jobs(), 1);
  EXPECT_EQ(fork.unrecorded_jobs(), 1);
  EXPECT_THAT(fork.differences(), IsEmpty());

  const v1::ReplayRunResponse all =
      Replay(RequestOf(run_id, 0, {{"Topic", "sun"}}));
  EXPECT_THAT(Calls(all), ElementsAre("A", "D 0.02 USD"));
  EXPECT_EQ(all.answered_jobs(), 0);

  // The edit was there already.
  const v1::ReplayRunResponse same =
      Replay(RequestOf(run_id, 0, {{"Topic", "moon"}}));
  EXPECT_TRUE(same.identical()) << same.ShortDebugString();
  EXPECT_THAT(Calls(same), IsEmpty());
  EXPECT_EQ(calls(), 2);
  EXPECT_THAT(CopyOf(store(), "film"), IsOkAndHolds(before));
}

// F: B-5 What was done when it forks off is a layer all the same.
TEST_F(RunnerReplayTest, AForkStopsAfterTheLayerThatItsRunStoppedAfter) {
  MakeMovie(kPriced);
  v1::StartRunRequest start = StartRequest({{"Topic", "moon"}});
  start.mutable_scope()->set_up_to_layer(1);
  const v1::RunSnapshot run = RunToEnd(start);
  ASSERT_EQ(calls(), 1);
  for (int64_t from = 0; from <= run.last_sequence(); ++from) {
    SCOPED_TRACE(from);
    const v1::ReplayRunResponse fork =
        Replay(RequestOf(run.record().run_id(), from, {{"Side", "right"}}));
    EXPECT_EQ(fork.status(), v1::RUN_STATUS_COMPLETED) << fork.error();
    EXPECT_THAT(Calls(fork), IsEmpty());
    EXPECT_EQ(fork.answered_jobs(), 1);
  }
}

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
TEST_F(RunnerReplayTest, ARecordThatWasChangedIsFoundOut) {
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

TEST_F(RunnerReplayTest, ABlobThatIsGoneIsNamed) {
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
TEST_F(RunnerReplayTest, WhatACheckpointRemovedIsNotReplayed) {
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
TEST_F(RunnerReplayTest, ARunThatFailedFailsAsItDid) {
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
TEST_F(RunnerReplayTest, WhatOutsideWorkersReportIsNotReplayed) {
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

TEST_F(RunnerReplayTest, OfARunThatWasCutShortWhatHadEndedIsTheSame) {
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

TEST_F(RunnerReplayTest, IsNoHindranceToARun) {
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

TEST_F(RunnerReplayTest, RefusesWhatIsNoRecord) {
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
