// What a RunActor keeps of an attempt that is under way.

#ifndef KINORA_SERVICES_RUNNER_ACTOR_RUNNING_ATTEMPT_H_
#define KINORA_SERVICES_RUNNER_ACTOR_RUNNING_ATTEMPT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "kinora/v1/types.pb.h"
#include "services/runner/calls/producer_caller.h"

namespace kinora {

struct RunningAttempt {
  uint32_t attempt = 0;
  int64_t started_nanos = 0;
  std::shared_ptr<Attempt> call;
  // By QuestionKey(): questions whose answers it began with, and those that it
  // has asked and have no answer yet.
  std::set<std::string> given;
  std::set<std::string> asks;
  // What it has asked last, by id.
  std::map<std::string, std::string> asked;
  bool takes_answers = false;  // and may wait for these
  // Why its job fails: something that it asks has ended without an answer.
  std::optional<v1::Failure> unanswered;
  // Why what it has asked is not asked of anybody.
  std::optional<v1::Failure> refused;

  // Nothing goes on before somebody answers.
  bool is_asking() const { return takes_answers && !asks.empty(); }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_ACTOR_RUNNING_ATTEMPT_H_
