// Runs that were left open and that nobody goes on with: they are closed.

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "common/testing/status_matchers.h"
#include "services/runner/runner.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

using RunnerClosingTest = RunnerFixture;

// The ledger has the run's end, its record does not.
TEST_F(RunnerClosingTest, ARecordThatLagsIsClosedFromTheLedger) {
  MakeMovie(Chain("{}"));
  const v1::RunRecord record = RunToEnd(StartRequest()).record();
  process_.reset();
  process_ = NewProcess();
  v1::PutRunRecordRequest put;
  *put.mutable_record() = record;
  put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
  put.mutable_record()->clear_published_revision();
  put.mutable_record()->clear_manifest_hash();
  *put.mutable_lease() = TakeFilmLease(store(), "dead-runner", record.run_id());
  ASSERT_OK(store().runs.Put(put));
  clock_.Advance(absl::Hours(1));
  ASSERT_OK(runner().AdoptOpenRuns());
  v1::GetRunRecordRequest get;
  get.set_run_id(record.run_id());
  ASSERT_OK_AND_ASSIGN(const v1::GetRunRecordResponse closed,
                       store().runs.Get(get));
  EXPECT_EQ(closed.record().status(), v1::RUN_STATUS_COMPLETED);
  EXPECT_EQ(closed.record().published_revision(), "rev-0001");
  EXPECT_EQ(closed.record().manifest_hash(), CurrentOf(store()).hash());
}

// F: S1-37 (what cannot be gone on with does not stand in the way)
TEST_F(RunnerClosingTest, ARunWithoutItsPlanIsClosed) {
  MakeMovie(Chain("{}"));
  const v1::LeaseToken lease = TakeFilmLease(store(), "dead-runner", kRun1);
  v1::PutRunRecordRequest put;
  put.mutable_record()->set_run_id(std::string(kRun1));
  put.mutable_record()->set_movie_id("film");
  put.mutable_record()->set_target_revision("rev-0001");
  put.mutable_record()->set_status(v1::RUN_STATUS_RUNNING);
  *put.mutable_lease() = lease;
  ASSERT_OK(store().runs.Put(put));
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(RunToEnd(StartRequest()).record().status(),
            v1::RUN_STATUS_COMPLETED);
  v1::GetRunRequest get;
  get.set_run_id(std::string(kRun1));
  ASSERT_OK_AND_ASSIGN(const v1::GetRunResponse orphan, runner().Get(get));
  EXPECT_EQ(orphan.run().record().status(), v1::RUN_STATUS_CANCELLED);
  EXPECT_THAT(orphan.run().record().error(), HasSubstr("no other can go on"));
}

}  // namespace
}  // namespace kinora
