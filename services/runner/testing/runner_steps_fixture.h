// Runs whose callers execute their steps, through the client: a store in
// memory, the real planner, the simulated producer.

#ifndef KINORA_SERVICES_RUNNER_TESTING_RUNNER_STEPS_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_TESTING_RUNNER_STEPS_FIXTURE_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

#include "clients/cpp/runner_client.h"
#include "common/error_reason.h"
#include "common/json/proto_json.h"
#include "common/testing/in_process_server.h"
#include "common/testing/status_matchers.h"
#include "common/threads/thread_pool.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner_service.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {

class RunnerStepsFixture : public RunnerFixture {
 protected:
  RunnerStepsFixture()
      : executor_("service", 2),
        service_(runner(), store().events, executor_),
        server_({{v1::RunnerService::service_full_name(), &service_}}),
        client_(server_.Channel(Transport::kInProcess)),
        planner_(store()) {}

  struct Planned {
    std::string hash;
    v1::Plan plan;
  };

  Planned MakePlan(const std::string& movie_id = "film") {
    v1::CreatePlanRequest create;
    create.set_movie_id(movie_id);
    v1::ProducerIdentity* sim = create.add_producers();
    sim->set_name("sim");
    sim->set_version("1");
    Planned planned;
    const absl::StatusOr<CreatedPlan> created = planner_.CreatePlan(create);
    EXPECT_OK(created);
    if (!created.ok()) return planned;
    planned.hash = created->header.plan_hash();
    v1::LoadPlanRequest load;
    load.set_movie_id(movie_id);
    load.set_plan_hash(planned.hash);
    const absl::StatusOr<std::string> json = store().plans.Load(load);
    EXPECT_OK(json);
    if (!json.ok()) return planned;
    EXPECT_OK(ParseDocument(*json, &planned.plan));
    return planned;
  }

  static v1::ExecuteLayerRequest Layer(const Planned& planned, uint32_t layer,
                                       const v1::LeaseToken& lease,
                                       absl::string_view run_id = kRun1) {
    v1::ExecuteLayerRequest request;
    request.set_movie_id("film");
    request.set_plan_hash(planned.hash);
    request.set_layer(layer);
    request.set_run_id(std::string(run_id));
    *request.mutable_lease() = lease;
    return request;
  }

  static v1::ExecuteJobRequest Job(const Planned& planned,
                                   const std::string& job_id,
                                   const v1::LeaseToken& lease) {
    v1::ExecuteJobRequest request;
    request.set_movie_id("film");
    request.set_plan_hash(planned.hash);
    request.set_job_id(job_id);
    request.set_run_id(std::string(kRun1));
    *request.mutable_lease() = lease;
    return request;
  }

  // "Job status[ detail]", in the order of the answer.
  std::vector<std::string> Execute(const v1::ExecuteLayerRequest& request) {
    const absl::StatusOr<v1::ExecuteLayerResponse> answer =
        client_.ExecuteLayer(request);
    EXPECT_OK(answer);
    std::vector<std::string> jobs;
    if (!answer.ok()) return jobs;
    for (const v1::JobState& job : answer->jobs()) {
      jobs.push_back(absl::StrCat(job.job_id(), " ", job.status(),
                                  job.detail().empty() ? "" : " ",
                                  job.detail()));
    }
    return jobs;
  }

  absl::StatusOr<v1::CommitRevisionResponse> Commit(
      const Planned& planned, const v1::LeaseToken& lease,
      absl::string_view run_id = kRun1) {
    v1::CommitRevisionRequest commit =
        CommitOf(lease, run_id, planned.plan.target_revision(),
                 planned.plan.manifest_base_hash(),
                 planned.plan.inputs_through_sequence());
    commit.mutable_source()->set_plan_hash(planned.hash);
    return store().manifests.Commit(commit);
  }

  // A run to its end, after which nobody has the lease.
  void RunAndLetGo(const v1::StartRunRequest& request) {
    v1::CancelRunRequest cancel;
    cancel.set_run_id(RunToEnd(request).record().run_id());
    EXPECT_EQ(ReasonOf(client_.CancelRun(cancel).status()), "RUN_TERMINAL");
  }

  v1::RunRecord RecordOf(absl::string_view run_id) {
    v1::GetRunRequest get;
    get.set_run_id(std::string(run_id));
    const absl::StatusOr<v1::GetRunResponse> run = client_.GetRun(get);
    EXPECT_OK(run);
    return run.ok() ? run->run().record() : v1::RunRecord();
  }

  ThreadPool executor_;
  RunnerRpcService service_;
  InProcessServer server_;
  RunnerClient client_;
  StorePlanner planner_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_RUNNER_STEPS_FIXTURE_H_
