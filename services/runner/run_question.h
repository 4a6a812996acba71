// A question to people as a run's ledger has it.

#ifndef KINORA_SERVICES_RUNNER_RUN_QUESTION_H_
#define KINORA_SERVICES_RUNNER_RUN_QUESTION_H_

#include <cstdint>
#include <optional>
#include <string>

#include "kinora/v1/producer.pb.h"

namespace kinora {

struct RunQuestion {
  std::string job_id;  // empty: the run itself asks
  v1::Question question;
  int64_t asked_at_ms = 0;
  std::optional<v1::Answer> answer;
  bool is_void = false;  // its job has ended without the answer
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_QUESTION_H_
