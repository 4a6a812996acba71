// A question to people as a run's ledger has it.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTION_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kinora/v1/producer.pb.h"

namespace kinora {

// What a job asks under one id about one content is one question; asked about
// no content, its key is the id itself.
inline std::string QuestionKey(const std::string& question_id,
                               const std::string& content_hash) {
  return content_hash.empty() ? question_id : question_id + "\n" + content_hash;
}
inline std::string KeyOf(const v1::Question& question) {
  return QuestionKey(question.question_id(), question.content_hash());
}
inline std::string KeyOf(const v1::Answer& answer) {
  return QuestionKey(answer.question_id(), answer.content_hash());
}

// A question that has ended without an answer.
struct Unanswered {
  bool no_quorum = false;  // else nobody has answered in time
  bool cancels_run = false;
  std::string message;  // for a person
};

struct RunQuestion {
  std::string job_id;  // empty: the run itself asks
  v1::Question question;
  int64_t asked_at_ms = 0;
  // How often it was asked: anew, as its job had ended without the answer.
  uint32_t round = 1;
  std::optional<v1::Answer> answer;
  // Nobody gave it: it is the default, or what a quorum that cannot be reached
  // comes to.
  bool is_assumed = false;
  // The run that the answer was given in, if it was an earlier one.
  std::string approved_in;
  // Nobody waits for the answer: its job has ended, or asks about other
  // content.
  bool is_void = false;
  std::optional<Unanswered> unanswered;

  // What a quorum is counted from, in the order of the ledger.
  std::vector<v1::Answer> votes;
  // Whom it is for now, how often it was escalated, and until when; 0 for
  // without end.
  std::vector<std::string> assignees;
  uint32_t level = 0;
  int64_t deadline_ms = 0;

  bool is_open() const {
    return !answer.has_value() && !unanswered.has_value() && !is_void;
  }
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTION_H_
