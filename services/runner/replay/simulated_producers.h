// SimulatedProducers stand in for all producers of a runner in a dry run: each
// attempt succeeds at once, with small outputs of the declared types that
// nobody was asked to make.

#ifndef KINORA_SERVICES_RUNNER_REPLAY_SIMULATED_PRODUCERS_H_
#define KINORA_SERVICES_RUNNER_REPLAY_SIMULATED_PRODUCERS_H_

#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/threads/executor.h"
#include "services/planner/blueprint/blueprint.h"
#include "services/runner/calls/producer_caller.h"

namespace kinora {

// Outputs are a function of the job's key. An output that differs with its
// inputs makes whatever reads it differ, too: so what is counted of jobs is the
// most that there can be.
//
// What decides about the graph has a value that can: a list of two elements
// where it sizes a dimension, the number 1 where its order counts. But where
// the settings of the node have a `text`, as those of the simulated producer
// may, an output that decides, or has leaves that do, is that text.
//
// No cost is reported: a run then counts the most that a job is said to cost.
//
// Thread-safe.
class SimulatedProducers final : public ProducerCaller {
 public:
  // `producers` say of themselves what they are, and are asked for nothing
  // else. All but the blueprint MUST outlive this.
  SimulatedProducers(ProducerCaller& producers, const Blueprint& blueprint,
                     Executor& executor);

  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer, const std::string& version) override {
    return producers_.Describe(producer, version);
  }
  std::vector<absl::StatusOr<v1::DescribeResponse>> DescribeAll(
      const std::vector<std::string>& producers) override {
    return producers_.DescribeAll(producers);
  }
  absl::StatusOr<FoundWork> LookUp(absl::string_view /*producer*/,
                                   const std::string& /*idempotency_key*/,
                                   CallStop& /*stop*/) override {
    return FoundWork();
  }
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override;

 private:
  // What the graph wants of an output.
  struct Wish {
    bool list = false;
    bool number = false;
  };

  AttemptResult ResultOf(const AttemptRequest& request) const;
  std::string MadeUp(const AttemptRequest::Output& output,
                     const v1::JobHeader& header) const;

  ProducerCaller& producers_;
  Executor& executor_;
  // Outputs that decide, or have leaves that do, by name.
  std::map<std::string, Wish> deciding_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_REPLAY_SIMULATED_PRODUCERS_H_
