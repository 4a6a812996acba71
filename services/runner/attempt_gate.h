// An AttemptGate keeps the limits on the concurrency of producers over all that
// call through it: steps of runs, each of which knows only its own jobs.

#ifndef KINORA_SERVICES_RUNNER_ATTEMPT_GATE_H_
#define KINORA_SERVICES_RUNNER_ATTEMPT_GATE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/clock.h"
#include "services/runner/producer_caller.h"
#include "services/runner/producer_table.h"

namespace kinora {

// Thread-safe. Attempts beyond a producer's limit wait for their turn, in the
// order of their starts; the time an attempt has is counted from its turn. One
// that is cancelled before its turn never reaches the producer.
class AttemptGate final : public ProducerCaller {
 public:
  // `base` and `clock` MUST outlive all attempts, which may outlive the gate.
  AttemptGate(ProducerCaller& base, const ProducerConfigs& configs,
              Clock& clock);

  absl::StatusOr<v1::DescribeResponse> Describe(
      absl::string_view producer) override;
  absl::StatusOr<v1::LookUpState> LookUp(
      absl::string_view producer, const std::string& idempotency_key) override;
  std::unique_ptr<Attempt> Start(
      AttemptRequest request,
      std::shared_ptr<AttemptObserver> observer) override;

 private:
  struct State;
  class Turn;
  class TurnObserver;

  const std::shared_ptr<State> state_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ATTEMPT_GATE_H_
