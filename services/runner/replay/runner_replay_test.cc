// Runs that are carried out again from their record: nobody is called, and they
// come to what they came to.

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/testing/status_matchers.h"
#include "services/runner/testing/runner_replay_fixture.h"
#include "services/store/testing/movie_copies.h"

namespace kinora {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using RunnerReplayTest = RunnerReplayFixture;

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

}  // namespace
}  // namespace kinora
