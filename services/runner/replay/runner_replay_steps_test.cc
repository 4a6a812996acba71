// Runs whose callers executed their steps have a record like any other.

#include <string>

#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/replay/dry_runs.h"
#include "services/runner/testing/runner_steps_fixture.h"

namespace kinora {
namespace {

using RunnerReplayStepsTest = RunnerStepsFixture;

// F: S3-23
TEST_F(RunnerReplayStepsTest, StepsAreReplayedAsOneRun) {
  MakeMovie(Chain("{fail_attempts: 1}"));
  const Planned planned = MakePlan();
  const v1::LeaseToken lease = TakeFilmLease(store(), "workflow", kRun1);
  for (int layer = 0; layer < planned.plan.layers_size(); ++layer) {
    Execute(Layer(planned, static_cast<uint32_t>(layer), lease));
  }
  ASSERT_OK(Commit(planned, lease));
  v1::ReplayRunRequest request;
  request.set_run_id(std::string(kRun1));
  // Whose run it is has not closed it yet.
  EXPECT_EQ(ReasonOf(process_->dry_runs().Replay(request).status()),
            "RUN_ACTIVE");
  Release(lease);
  ASSERT_OK(runner().AdoptOpenRuns());
  ASSERT_EQ(RecordOf(kRun1).status(), v1::RUN_STATUS_COMPLETED);

  const int64_t called = calls();
  v1::GetRunRequest get;
  get.set_run_id(request.run_id());
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse run, runner().Get(get));
  for (int64_t from = 0; from <= run.run().last_sequence(); ++from) {
    SCOPED_TRACE(from);
    request.set_from_sequence(from);
    ASSERT_OK_AND_ASSIGN(const v1::ReplayRunResponse replay,
                         process_->dry_runs().Replay(request));
    EXPECT_TRUE(replay.identical()) << replay.ShortDebugString();
    EXPECT_EQ(replay.recorded_revision(), "rev-0001");
    EXPECT_EQ(replay.answered_jobs() + replay.checkpoint_jobs(), 4);
  }
  EXPECT_EQ(calls(), called);
}

}  // namespace
}  // namespace kinora
