// The questions of a run and their answers, as its ledger tells them. In the
// ledger a question is `job.question`, its answer `job.answered`, and its end
// without one `job.unanswered`; the first of these is the one that counts. What
// was asked under one id by one job about one content is one question, however
// often it was asked, unless its job has ended without the answer and is called
// anew; about other content it takes the place of the one before, if that
// waits. The run itself may ask one, too, at the edge of its budget
// (budget_question.h).

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTIONS_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTIONS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/json/json.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"
#include "services/runner/questions/budget_question.h"
#include "services/runner/questions/question_events.h"
#include "services/runner/questions/run_question.h"

namespace kinora {

// Says of which jobs questions are meant.
using IsMeant = absl::FunctionRef<bool(const std::string& job_id)>;

// Folds ledger events, in their order. Not thread-safe.
class RunQuestions {
 public:
  void Apply(const v1::LedgerEvent& event);

  // Null if the job has not asked that, by its QuestionKey().
  const RunQuestion* Find(absl::string_view job_id,
                          absl::string_view key) const;
  // The last that it has asked for the first time under an id.
  const RunQuestion* Latest(absl::string_view job_id,
                            absl::string_view question_id) const;

  // Whether the job asks what it has not asked yet: another question, one about
  // other content, or anew what nobody has answered before the job had ended.
  bool IsNew(absl::string_view job_id, const v1::Question& question) const;

  // How many contents the job has asked about under that id without a person
  // who answered.
  size_t UnheededContents(absl::string_view job_id,
                          absl::string_view question_id) const;

  // Those of one job, in the order of its questions.
  std::vector<v1::Answer> AnswersOf(absl::string_view job_id) const;

  // Whether one of the job waits for an answer.
  bool Waits(absl::string_view job_id) const;

  // Questions that wait for an answer, the oldest first; last that of the run.
  std::vector<const RunQuestion*> Pending() const;

  // The jobs that have asked something.
  std::vector<std::string> Jobs() const;

  // Those of one job that have an answer about some content, or have ended
  // without one.
  std::vector<const RunQuestion*> Settled(absl::string_view job_id) const;

  // What the ledger is to say at this time of the questions that wait, as
  // VerdictOn() has it.
  std::vector<v1::JobEvent> Verdicts(int64_t now_ms, bool may_cancel_run,
                                     IsMeant is_meant) const;
  // The first time for which there is a verdict, in milliseconds since the
  // epoch; INT64_MAX if all wait without end.
  int64_t NextVerdictMillis(IsMeant is_meant) const;

  // What the run itself asks.
  const BudgetQuestion& budget() const { return budget_; }

  // The event `answered` with which the ledger will say that `answer` is the
  // answer to a job, or `voted` if several people must agree. `job_id` may be
  // empty. NOT_FOUND (QUESTION_NOT_FOUND) if no such question waits, or it is
  // about other content than the answer; INVALID_ARGUMENT if those of several
  // jobs do, if it is no answer to this one (question_check.h), or if this
  // person has answered it already or is not named.
  absl::StatusOr<v1::JobEvent> Accept(absl::string_view job_id,
                                      const v1::Answer& answer) const;

 private:
  RunQuestion* Register(const std::string& job_id, v1::Question question,
                        int64_t at_ms);
  void TakeQuestion(const v1::JobEvent& event, int64_t at_ms);
  void TakeAnswer(const v1::JobEvent& event, int64_t at_ms);
  void TakeVote(const v1::JobEvent& event);
  void TakeEscalation(const v1::JobEvent& event);
  void TakeEnd(const v1::JobEvent& event);
  void EndJob(const std::string& job_id);
  // The one that the event is about; null if there is none, or it is about
  // other content.
  RunQuestion* FindFor(const v1::JobEvent& event, const JsonValue& detail);
  std::optional<size_t> IndexOf(absl::string_view job_id,
                                absl::string_view key) const;

  std::deque<RunQuestion> questions_;
  std::map<std::string, std::vector<size_t>, std::less<>> by_job_;
  BudgetQuestion budget_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_RUN_QUESTIONS_H_
