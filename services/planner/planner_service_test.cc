#include "services/planner/planner_service.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpcpp/channel.h"

#include "clients/cpp/planner_client.h"
#include "common/error_reason.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/mutex.h"
#include "common/threads/thread_pool.h"

namespace kinora {
namespace {

using ::testing::HasSubstr;

// Answers every request with what it was given.
class ScriptedPlanner final : public Planner {
 public:
  absl::StatusOr<v1::ValidateBlueprintResponse> ValidateBlueprint(
      const v1::ValidateBlueprintRequest& request) override {
    v1::ValidateBlueprintResponse response;
    response.set_name(request.file_name());
    return response;
  }
  absl::StatusOr<v1::ValidateInputsResponse> ValidateInputs(
      const v1::ValidateInputsRequest& request) override {
    return WithReason(
        absl::InvalidArgumentError(absl::StrCat("no ", request.movie_id())),
        "INVALID_FIELD", {{"field", "Input:Story"}});
  }
  absl::StatusOr<CreatedPlan> CreatePlan(
      const v1::CreatePlanRequest&) override {
    return plan;
  }
  absl::StatusOr<v1::ExpandDeferredGroupResponse> ExpandDeferredGroup(
      const v1::ExpandDeferredGroupRequest& request,
      CallStop& /*stop*/) override {
    v1::ExpandDeferredGroupResponse response;
    response.add_removed_artefact_ids(request.artefact_id());
    return response;
  }
  absl::StatusOr<v1::RenderGraphResponse> RenderGraph(
      const v1::RenderGraphRequest& request) override {
    v1::RenderGraphResponse response;
    response.set_text(request.movie_id());
    return response;
  }
  absl::StatusOr<v1::ExplainArtefactResponse> ExplainArtefact(
      const v1::ExplainArtefactRequest& request) override {
    v1::ExplainArtefactResponse response;
    response.set_revision(request.revision());
    return response;
  }
  absl::StatusOr<v1::EstimatePlanResponse> EstimatePlan(
      const v1::EstimatePlanRequest& request) override {
    v1::EstimatePlanResponse response;
    response.add_unpriced_producers(request.plan_hash());
    return response;
  }
  absl::StatusOr<v1::GetJobDurationsResponse> GetJobDurations(
      const v1::GetJobDurationsRequest& request) override {
    v1::GetJobDurationsResponse response;
    response.add_producers()->set_producer(request.movie_id());
    MutexLock lock(mu_);
    while (is_late_) let_go_cv_.Wait(mu_);
    return response;
  }
  absl::StatusOr<v1::ListTakesResponse> ListTakes(
      const v1::ListTakesRequest& request) override {
    v1::ListTakesResponse response;
    response.set_take_input_id(request.artefact_id());
    return response;
  }
  absl::StatusOr<v1::ListLeavesResponse> ListLeaves(
      const v1::ListLeavesRequest& request) override {
    v1::ListLeavesResponse response;
    response.add_leaves()->set_artefact_id(request.artefact_id());
    return response;
  }
  absl::StatusOr<v1::DiffRevisionsResponse> DiffRevisions(
      const v1::DiffRevisionsRequest& request) override {
    v1::DiffRevisionsResponse response;
    response.set_next_page_token(request.page_token());
    return response;
  }

  absl::StatusOr<v1::DiffRunsResponse> DiffRuns(
      const v1::DiffRunsRequest& request) override {
    v1::DiffRunsResponse response;
    response.set_next_page_token(request.page_token());
    return response;
  }

  // Whether to tell of durations only when it is not late any more.
  void SetLate(bool is_late) {
    MutexLock lock(mu_);
    is_late_ = is_late;
    let_go_cv_.SignalAll();
  }

  absl::StatusOr<CreatedPlan> plan = CreatedPlan();

 private:
  Mutex mu_;
  CondVar let_go_cv_;
  bool is_late_ ABSL_GUARDED_BY(mu_) = false;
};

class PlannerServiceTest : public ::testing::TestWithParam<Transport> {
 protected:
  ScriptedPlanner planner_;
  ThreadPool pool_{"test", 2};
  PlannerRpcService service_{planner_, pool_};
  InProcessServer server_{
      {{v1::PlannerService::service_full_name(), &service_}}};
  RemotePlanner remote_{server_.Channel(GetParam())};
};

TEST_P(PlannerServiceTest, LargePlanArrivesWhole) {
  CreatedPlan plan;
  plan.header.set_plan_hash("hash");
  plan.layers.resize(2);
  // Far beyond one message.
  std::string text(3000, 'x');
  for (int i = 0; i < 8000; ++i) {
    v1::PlannedJob& job = *plan.layers[0].add_jobs();
    job.set_job_id(absl::StrCat("Job", i));
    job.mutable_reason()->set_text(text);
  }
  plan.layers[1].add_jobs()->set_job_id("Last");
  planner_.plan = plan;
  ASSERT_OK_AND_ASSIGN(CreatedPlan got, remote_.CreatePlan({}));
  EXPECT_EQ(got.header.plan_hash(), "hash");
  ASSERT_EQ(got.layers.size(), 2u);
  EXPECT_EQ(got.layers[0].SerializeAsString(),
            plan.layers[0].SerializeAsString());
  EXPECT_EQ(got.layers[1].jobs(0).job_id(), "Last");
}

TEST_P(PlannerServiceTest, PlanWithoutLayersIsAHeader) {
  ASSERT_OK_AND_ASSIGN(CreatedPlan got, remote_.CreatePlan({}));
  EXPECT_TRUE(got.layers.empty());
}

TEST_P(PlannerServiceTest, ErrorsKeepTheirReason) {
  planner_.plan = WithReason(absl::FailedPreconditionError("set Input:Story"),
                             "INPUT_MISSING", {{"field", "Input:Story"}});
  absl::StatusOr<CreatedPlan> plan = remote_.CreatePlan({});
  EXPECT_THAT(plan, StatusIs(absl::StatusCode::kFailedPrecondition,
                             HasSubstr("Input:Story")));
  EXPECT_EQ(ReasonOf(plan.status()), "INPUT_MISSING");
  v1::ValidateInputsRequest request;
  request.set_movie_id("film");
  absl::StatusOr<v1::ValidateInputsResponse> inputs =
      remote_.ValidateInputs(request);
  EXPECT_THAT(inputs, StatusIs(absl::StatusCode::kInvalidArgument, "no film"));
  EXPECT_EQ(MetadataOf(inputs.status())["field"], "Input:Story");
}

// A run does without what comes late.
TEST_P(PlannerServiceTest, DurationsThatComeLateAreNotWaitedFor) {
  RemotePlannerOptions options;
  EXPECT_EQ(options.durations_timeout, absl::Seconds(2));
  options.durations_timeout = absl::Milliseconds(20);
  RemotePlanner remote(server_.Channel(GetParam()), options);
  planner_.SetLate(true);
  EXPECT_THAT(remote.GetJobDurations({}).status(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_OK(remote.CreatePlan({}));
  planner_.SetLate(false);
}

TEST_P(PlannerServiceTest, UnaryCallsReachThePlanner) {
  v1::ValidateBlueprintRequest blueprint;
  blueprint.set_file_name("film.yaml");
  ASSERT_OK_AND_ASSIGN(auto valid, remote_.ValidateBlueprint(blueprint));
  EXPECT_EQ(valid.name(), "film.yaml");
  v1::RenderGraphRequest render;
  render.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(auto drawn, remote_.RenderGraph(render));
  EXPECT_EQ(drawn.text(), "film");
  v1::ExplainArtefactRequest explain;
  explain.set_revision("rev-0001");
  ASSERT_OK_AND_ASSIGN(auto explained, remote_.ExplainArtefact(explain));
  EXPECT_EQ(explained.revision(), "rev-0001");
  v1::EstimatePlanRequest estimate;
  estimate.set_plan_hash("hash");
  ASSERT_OK_AND_ASSIGN(auto estimated, remote_.EstimatePlan(estimate));
  EXPECT_EQ(estimated.unpriced_producers(0), "hash");
  v1::GetJobDurationsRequest durations;
  durations.set_movie_id("film");
  ASSERT_OK_AND_ASSIGN(auto taken, remote_.GetJobDurations(durations));
  EXPECT_EQ(taken.producers(0).producer(), "film");
  v1::ListLeavesRequest list;
  list.set_artefact_id("Artifact:Plan");
  ASSERT_OK_AND_ASSIGN(auto leaves, remote_.ListLeaves(list));
  EXPECT_EQ(leaves.leaves(0).artefact_id(), "Artifact:Plan");
  v1::DiffRevisionsRequest diff;
  diff.set_page_token("7");
  ASSERT_OK_AND_ASSIGN(auto compared, remote_.DiffRevisions(diff));
  EXPECT_EQ(compared.next_page_token(), "7");
  v1::DiffRunsRequest runs;
  runs.set_page_token("8");
  ASSERT_OK_AND_ASSIGN(auto compared_runs, remote_.DiffRuns(runs));
  EXPECT_EQ(compared_runs.next_page_token(), "8");
}

INSTANTIATE_TEST_SUITE_P(Transports, PlannerServiceTest,
                         ::testing::Values(Transport::kInProcess,
                                           Transport::kTcp),
                         TransportName);

}  // namespace
}  // namespace kinora
