// StorePlanner: runs compared.

#include <string>

#include "common/content.h"
#include "common/error_reason.h"
#include "services/planner/planned_film.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

constexpr char kOtherRun[] = "run-01ARZ3NDEKTSV4RRFFQ69G5FAW";

class StorePlannerRunsTest : public PlannedFilmTest {
 protected:
  // A run of a plan made now.
  void TellRun(const std::string& run_id, v1::RunStatus status) {
    ASSERT_OK_AND_ASSIGN(const CreatedPlan plan, Plan());
    v1::PutRunRecordRequest put;
    *put.mutable_lease() = lease_;
    put.mutable_record()->set_run_id(run_id);
    put.mutable_record()->set_movie_id("film");
    put.mutable_record()->set_plan_hash(plan.header.plan_hash());
    put.mutable_record()->set_status(status);
    ASSERT_OK(store_.runs.Put(put));
  }
  // A job of it that was called once and ended well.
  void TellJob(const std::string& run_id, const std::string& job_id) {
    v1::AppendEventsRequest append;
    *append.mutable_lease() = lease_;
    append.mutable_log()->set_movie_id("film");
    append.mutable_log()->set_kind(v1::LOG_KIND_LEDGER);
    append.mutable_log()->set_run_id(run_id);
    v1::LedgerEvent& started = *append.add_events()->mutable_ledger();
    started.set_run_id(run_id);
    started.mutable_step_started()->mutable_step()->set_step_id(job_id);
    started.mutable_step_started()->set_attempt(1);
    v1::LedgerEvent& completed = *append.add_events()->mutable_ledger();
    completed.set_run_id(run_id);
    completed.mutable_step_completed()->mutable_step()->set_step_id(job_id);
    completed.mutable_step_completed()->set_attempt(1);
    ASSERT_OK(store_.events.Append(append));
  }
};

// F: B-12, S3-23
TEST_F(StorePlannerRunsTest, RunsAreComparedPageByPage) {
  MakeMovie();
  Set("Input:Story", "a cat");
  TellRun(kRun, v1::RUN_STATUS_FAILED);
  TellJob(kRun, "Script");
  const std::string text = MakeScript("a cat");
  Set("Input:Story", "a dog");
  TellRun(kOtherRun, v1::RUN_STATUS_RUNNING);

  v1::DiffRunsRequest request;
  request.set_old_run_id(kRun);
  request.set_new_run_id(kOtherRun);
  ASSERT_OK_AND_ASSIGN(const v1::DiffRunsResponse all,
                       planner_.DiffRuns(request));
  ASSERT_EQ(all.differences_size(), 2);
  EXPECT_EQ(all.next_page_token(), "");
  EXPECT_EQ(all.differences(0).input().id(), "Input:Story");
  const v1::JobDifference& script = all.differences(1).job();
  EXPECT_EQ(script.job_id(), "Script");
  EXPECT_EQ(script.old().outcome(), "succeeded");
  EXPECT_EQ(script.new_().outcome(), "not_reached");
  ASSERT_EQ(script.outputs_size(), 1);
  EXPECT_EQ(script.outputs(0).old_hash(), text);
  EXPECT_EQ(all.summary().same_jobs(), 1);  // Film
  EXPECT_FALSE(all.summary().has_manifests());
  EXPECT_FALSE(all.summary().identical());
  EXPECT_EQ(all.summary().old_record().status(), v1::RUN_STATUS_FAILED);

  request.set_page_size(1);
  ASSERT_OK_AND_ASSIGN(const v1::DiffRunsResponse first,
                       planner_.DiffRuns(request));
  ASSERT_EQ(first.differences_size(), 1);
  EXPECT_TRUE(first.differences(0).has_input());
  request.set_page_token(first.next_page_token());
  ASSERT_OK_AND_ASSIGN(const v1::DiffRunsResponse second,
                       planner_.DiffRuns(request));
  ASSERT_EQ(second.differences_size(), 1);
  EXPECT_TRUE(second.differences(0).has_job());
  EXPECT_EQ(second.next_page_token(), "");
  EXPECT_EQ(second.summary().changed_jobs(), 1);

  // What happens in a run that goes on is seen.
  TellJob(kOtherRun, "Script");
  request.clear_page_token();
  request.set_page_size(0);
  ASSERT_OK_AND_ASSIGN(const v1::DiffRunsResponse later,
                       planner_.DiffRuns(request));
  ASSERT_EQ(later.differences_size(), 2);
  EXPECT_EQ(later.differences(1).job().new_().outcome(), "succeeded");
}

TEST_F(StorePlannerRunsTest, WhatCannotBeComparedIsNamed) {
  MakeMovie();
  Set("Input:Story", "a cat");
  TellRun(kRun, v1::RUN_STATUS_FAILED);
  v1::DiffRunsRequest request;
  request.set_old_run_id(kRun);
  request.set_new_run_id(kOtherRun);
  EXPECT_EQ(ReasonOf(planner_.DiffRuns(request).status()), "RUN_NOT_FOUND");
  v1::PutRunRecordRequest queued;
  queued.mutable_record()->set_run_id(kOtherRun);
  queued.mutable_record()->set_movie_id("film");
  queued.mutable_record()->set_status(v1::RUN_STATUS_QUEUED);
  ASSERT_OK(store_.runs.Put(queued));
  EXPECT_THAT(planner_.DiffRuns(request).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("has not begun")));
  request.set_new_run_id("film");
  EXPECT_EQ(planner_.DiffRuns(request).status().code(),
            absl::StatusCode::kInvalidArgument);
  request.set_new_run_id(kRun);
  request.set_page_size(10'001);
  EXPECT_EQ(planner_.DiffRuns(request).status().code(),
            absl::StatusCode::kInvalidArgument);
  request.set_page_size(0);
  request.set_page_token("second");
  EXPECT_THAT(
      planner_.DiffRuns(request).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("page_token")));
  request.clear_page_token();
  ASSERT_OK_AND_ASSIGN(const v1::DiffRunsResponse same,
                       planner_.DiffRuns(request));
  EXPECT_TRUE(same.summary().identical());
}

}  // namespace
}  // namespace kinora
