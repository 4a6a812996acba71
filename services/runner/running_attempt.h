// What a RunActor keeps of an attempt that is under way.

#ifndef KINORA_SERVICES_RUNNER_RUNNING_ATTEMPT_H_
#define KINORA_SERVICES_RUNNER_RUNNING_ATTEMPT_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>

#include "services/runner/producer_caller.h"

namespace kinora {

struct RunningAttempt {
  uint32_t attempt = 0;
  int64_t started_nanos = 0;
  std::shared_ptr<Attempt> call;
  std::set<std::string> given;  // questions whose answers it began with
  std::set<std::string> asks;   // questions that have no answer yet
  bool takes_answers = false;   // and may wait for these

  // Nothing goes on before somebody answers.
  bool is_asking() const { return takes_answers && !asks.empty(); }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUNNING_ATTEMPT_H_
