// The step-wise flow of a caller that has nothing but clients, over TCP: each
// step is one call, made by somebody who knows of the others only what the
// store has.

#include <cstdint>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include "clients/cpp/planner_client.h"
#include "clients/cpp/remote_store.h"
#include "clients/cpp/runner_client.h"
#include "common/json/proto_json.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/planner/planner_service.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner_service.h"
#include "services/runner/testing/runner_fixture.h"
#include "services/store/store_service.h"

namespace kinora {
namespace {

class RunnerStepsRemoteTest : public RunnerFixture {
 protected:
  // All that one step knows.
  struct Step {
    explicit Step(InProcessServer& server)
        : remote(server.Channel(Transport::kTcp)),
          planner(server.Channel(Transport::kTcp)),
          runner(server.Channel(Transport::kTcp)),
          store(remote.store()) {}

    RemoteStore remote;
    RemotePlanner planner;
    RunnerClient runner;
    Store store;
  };

  std::vector<RpcService> Services() {
    std::vector<RpcService> services = stores_.services();
    services.push_back(
        {v1::PlannerService::service_full_name(), &planner_service_});
    services.push_back(
        {v1::RunnerService::service_full_name(), &runner_service_});
    return services;
  }

  void Create(const std::string& movie_id) {
    Step step(server_);
    v1::CreateMovieRequest create;
    create.set_movie_id(movie_id);
    create.set_blueprint(Chain("{log_lines: 2}"));
    ASSERT_OK(step.store.movies.Create(create));
  }

  std::string MakePlan() {
    Step step(server_);
    v1::CreatePlanRequest create;
    create.set_movie_id("film");
    create.add_producers()->set_name("sim");
    create.mutable_producers(0)->set_version("1");
    const absl::StatusOr<CreatedPlan> plan = step.planner.CreatePlan(create);
    EXPECT_OK(plan);
    return plan.ok() ? plan->header.plan_hash() : "";
  }

  v1::Plan LoadPlan(const std::string& plan_hash) {
    Step step(server_);
    v1::LoadPlanRequest load;
    load.set_movie_id("film");
    load.set_plan_hash(plan_hash);
    const absl::StatusOr<std::string> json = step.store.plans.Load(load);
    EXPECT_OK(json);
    v1::Plan plan;
    if (json.ok()) {
      EXPECT_OK(ParseDocument(*json, &plan));
    }
    return plan;
  }

  ThreadPool threads_{"services", 4};
  StoreServices stores_{store(), threads_, {}};
  StorePlanner planner_{store()};
  PlannerRpcService planner_service_{planner_, threads_};
  RunnerRpcService runner_service_{runner(), store().events, threads_};
  InProcessServer server_{Services()};
};

// F: S1-44, S1-61
TEST_F(RunnerStepsRemoteTest, ClientsMakeTheRevisionThatARunMakes) {
  Create("film");
  const v1::LeaseToken lease =
      TakeFilmLease(Step(server_).store, "workflow", kRun1);
  const std::string plan_hash = MakePlan();
  const v1::Plan plan = LoadPlan(plan_hash);
  ASSERT_EQ(plan.layers_size(), 3);
  int completed = 0;
  for (int layer = 0; layer < plan.layers_size(); ++layer) {
    Step step(server_);
    v1::ExecuteLayerRequest execute;
    execute.set_movie_id("film");
    execute.set_plan_hash(plan_hash);
    execute.set_layer(static_cast<uint32_t>(layer));
    execute.set_run_id(std::string(kRun1));
    *execute.mutable_lease() = lease;
    ASSERT_OK_AND_ASSIGN(const v1::ExecuteLayerResponse answer,
                         step.runner.ExecuteLayer(execute));
    for (const v1::JobState& job : answer.jobs()) {
      EXPECT_EQ(job.status(), "completed") << job.ShortDebugString();
      ++completed;
    }
  }
  EXPECT_EQ(completed, 4);
  v1::CommitRevisionRequest commit =
      CommitOf(lease, kRun1, plan.target_revision(), plan.manifest_base_hash(),
               plan.inputs_through_sequence());
  commit.mutable_source()->set_plan_hash(plan_hash);
  ASSERT_OK_AND_ASSIGN(const v1::CommitRevisionResponse committed,
                       Step(server_).store.manifests.Commit(commit));
  EXPECT_TRUE(committed.published());
  v1::ReleaseLeaseRequest release;
  *release.mutable_token() = lease;
  ASSERT_OK(Step(server_).store.leases.Release(release));

  Create("twin");
  Step step(server_);
  v1::StartRunRequest start;
  start.set_movie_id("twin");
  ASSERT_OK_AND_ASSIGN(const v1::StartRunResponse run,
                       step.runner.StartRun(start));
  ASSERT_OK(step.runner.WatchRun(run.run().run_id(), 0, [](const v1::Event&) {
    return absl::OkStatus();
  }));
  v1::GetCurrentManifestRequest current;
  current.set_movie_id("twin");
  ASSERT_OK_AND_ASSIGN(const v1::GetCurrentManifestResponse twin,
                       step.store.manifests.GetCurrent(current));
  EXPECT_EQ(twin.current().hash(), committed.current().hash());
}

}  // namespace
}  // namespace kinora
