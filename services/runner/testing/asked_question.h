// A question as a producer may ask it.

#ifndef KINORA_SERVICES_RUNNER_TESTING_ASKED_QUESTION_H_
#define KINORA_SERVICES_RUNNER_TESTING_ASKED_QUESTION_H_

#include <string>
#include <vector>

#include "kinora/v1/producer.pb.h"

namespace kinora {

inline v1::Question Ask(const std::string& id, v1::QuestionKind kind,
                        const std::vector<std::string>& options = {}) {
  v1::Question question;
  question.set_question_id(id);
  question.set_prompt("Which " + id + "?");
  question.set_kind(kind);
  for (const std::string& option : options) question.add_options(option);
  return question;
}

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_TESTING_ASKED_QUESTION_H_
