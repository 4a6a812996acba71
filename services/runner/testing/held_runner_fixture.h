// Whole runs whose producers are held by the test: what a run does between two
// of their answers. Waits for a next attempt end by what the test does, too.

#ifndef KINORA_SERVICES_RUNNER_TESTING_HELD_RUNNER_FIXTURE_H_
#define KINORA_SERVICES_RUNNER_TESTING_HELD_RUNNER_FIXTURE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

#include "common/random.h"
#include "common/testing/status_matchers.h"
#include "common/threads/executor.h"
#include "services/planner/store_planner.h"
#include "services/runner/runner.h"
#include "services/runner/testing/held_producers.h"
#include "services/runner/testing/runner_fixture.h"

namespace kinora {

// Two jobs beside each other.
inline constexpr char kTwo[] = R"(
blueprint: two
nodes:
  A:
    producer: sim
    outputs: {AText: text/plain}
  B:
    producer: sim
    outputs: {BText: text/plain}
outputs: [AText, BText]
)";

// `carrier_` has the runs; runner() is another one, which calls nobody.
class HeldRunnerFixture : public RunnerFixture {
 protected:
  // Who brings an executor MUST let the carrier go before it.
  ~HeldRunnerFixture() override { carrier_.reset(); }

  // Makes the carrier. Both MUST outlive it.
  void CarryOn(const Store& store, Executor& executor,
               uint32_t max_attempts = 3) {
    ProducerConfigs configs;
    configs["sim"] = {{"sim"}, 4, max_attempts, absl::Minutes(5)};
    configs["sim"].in_doubt = v1::IN_DOUBT_POLICY_WAIT;
    RunnerOptions options;
    options.retry.initial = absl::Hours(1000);
    options.retry.longest = absl::Hours(1000);
    carrier_ = std::make_unique<Runner>(
        RunnerDeps{store, planner_, producers_, executor, clock_, random_},
        configs, options);
  }

  // The id of a run that the carrier has.
  std::string StartRun(const std::string& blueprint,
                       const v1::StartRunRequest& request = StartRequest()) {
    MakeMovie(blueprint);
    const absl::StatusOr<v1::StartRunResponse> started =
        carrier_->Start(request);
    EXPECT_OK(started);
    return started.ok() ? started->run().run_id() : "";
  }

  static absl::Status RetryAt(Runner& runner, const std::string& run_id,
                              const std::string& job_id) {
    v1::RetryRunRequest request;
    request.set_run_id(run_id);
    request.set_job_id(job_id);
    return runner.Retry(request).status();
  }

  StorePlanner planner_{store()};
  HeldProducers producers_;
  SeededRandom random_{7};
  std::unique_ptr<Runner> carrier_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_HELD_RUNNER_FIXTURE_H_
