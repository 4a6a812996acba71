// Runs that are carried out again from their record.

#ifndef KINORA_SERVICES_RUNNER_TESTING_RUNNER_REPLAY_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_TESTING_RUNNER_REPLAY_FIXTURE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "common/cost_text.h"
#include "common/run_end.h"
#include "common/testing/status_matchers.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/testing/runner_questions_fixture.h"
#include "services/store/testing/movie_copies.h"

namespace kinora {

class RunnerReplayFixture : public RunnerQuestionsFixture {
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

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_RUNNER_REPLAY_FIXTURE_H_
