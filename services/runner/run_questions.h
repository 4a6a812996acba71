// The questions of a run and their answers, as its ledger tells them. In the
// ledger a question is `job.question`, its answer `job.answered`; the first
// answer is the one that counts. What was asked under one id by one job is one
// question, however often it was asked. The run itself may ask one, too, at the
// edge of its budget (budget_question.h).

#ifndef KINORA_SERVICES_RUNNER_RUN_QUESTIONS_H_
#define KINORA_SERVICES_RUNNER_RUN_QUESTIONS_H_

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/budget_question.h"
#include "services/runner/run_question.h"

namespace kinora {

// Folds ledger events, in their order. Not thread-safe.
class RunQuestions {
 public:
  void Apply(const v1::LedgerEvent& event);

  // Null if the job has not asked that.
  const RunQuestion* Find(absl::string_view job_id,
                          absl::string_view question_id) const;

  // Those of one job, in the order of its questions.
  std::vector<v1::Answer> AnswersOf(absl::string_view job_id) const;

  // Whether one of the job waits for an answer.
  bool Waits(absl::string_view job_id) const;

  // Questions that wait for an answer, the oldest first; last that of the run.
  std::vector<const RunQuestion*> Pending() const;

  // What the run itself asks.
  const BudgetQuestion& budget() const { return budget_; }

  // The event `answered` with which the ledger will say that `answer` is the
  // answer to a job. `job_id` may be empty. NOT_FOUND (QUESTION_NOT_FOUND) if
  // no such question waits; INVALID_ARGUMENT if those of several jobs do, or if
  // it is no answer to this one (question_check.h).
  absl::StatusOr<v1::JobEvent> Accept(absl::string_view job_id,
                                      const v1::Answer& answer) const;

 private:
  void TakeQuestion(const v1::JobEvent& event, int64_t at_ms);
  void TakeAnswer(const v1::JobEvent& event);
  void EndJob(const std::string& job_id);
  std::optional<size_t> IndexOf(absl::string_view job_id,
                                absl::string_view question_id) const;

  std::deque<RunQuestion> questions_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_job_;
  BudgetQuestion budget_;
};

// What a ledger event says of a question; the job's id is in each.
v1::JobEvent QuestionEvent(const std::string& job_id,
                           const v1::Question& question);
// `in_doubt`: nobody knows what the attempt has paid. `charged` is what it was
// said to have cost.
v1::JobEvent AskingEvent(const std::string& job_id,
                         const v1::Question& question, bool in_doubt,
                         const v1::Cost& charged);
v1::JobEvent AnsweredEvent(const std::string& job_id, const v1::Answer& answer);

// The same for every answer to the question: the `request_id` of the append
// that records one, so that no second one can be.
std::string AnswerRequestId(const v1::JobEvent& answered);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RUN_QUESTIONS_H_
