// A QuestionKeeper knows what a run asks people and what they have answered,
// for all who look at that at once: the run, who answers, and who asks what
// there is to answer.
//
// What is in the ledger counts. Who sees a question there may answer it, so
// whoever records a question or an answer does so alone, and others look behind
// that.

#ifndef KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_KEEPER_H_
#define KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_KEEPER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/threads/mutex.h"
#include "kinora/v1/ledger.pb.h"
#include "kinora/v1/producer.pb.h"
#include "kinora/v1/types.pb.h"
#include "services/runner/questions/run_questions.h"

namespace kinora {

// Of one question of a job in one run, without an answer of a person.
inline constexpr size_t kMaxUnheededContents = 16;

// Thread-safe. What is not said here is as RunQuestions has it.
class QuestionKeeper {
 public:
  // `told` is what the ledger has.
  explicit QuestionKeeper(RunQuestions told) : told_(std::move(told)) {}

  // Does what records an answer, or something that settles a question, alone.
  absl::Status RecordAlone(absl::FunctionRef<absl::Status()> record);

  // The run is about to tell its ledger that it asks this.
  void Ask(const v1::LedgerEvent& asks);
  // Tells it: `append` returns the ledger's last sequence. Alone, if there is a
  // question to tell.
  absl::Status Tell(absl::FunctionRef<absl::StatusOr<int64_t>()> append);

  // The ledger has this event.
  void Apply(const v1::LedgerEvent& event);
  // The same of a cap, at `sequence`, which does not settle what the run has
  // asked behind it.
  void ApplyCap(const v1::LedgerEvent& event, int64_t sequence);

  // Also one that is to be told. By its QuestionKey(), all of these.
  std::optional<v1::Question> Find(const std::string& job_id,
                                   const std::string& key) const;
  bool IsNew(const std::string& job_id, const v1::Question& question) const;
  std::optional<v1::Answer> AnswerTo(const std::string& job_id,
                                     const std::string& key) const;
  // Why the job fails, as that has ended without an answer.
  std::optional<v1::Failure> FailureBy(const std::string& job_id,
                                       const std::string& key) const;
  // Why the job fails that asks this new question, as it has asked about too
  // many contents that nobody has answered: it may make other ones for ever.
  std::optional<v1::Failure> CheckContents(const std::string& job_id,
                                           const v1::Question& question) const;
  // The last that the job has asked under an id, also one that is to be told.
  std::optional<RunQuestion> Latest(const std::string& job_id,
                                    const std::string& question_id) const;

  std::vector<RunQuestion> Settled(const std::string& job_id) const;
  std::vector<v1::JobEvent> Verdicts(int64_t now_ms, bool may_cancel_run,
                                     IsMeant is_meant) const;
  // Also of one that is to be told.
  int64_t NextVerdictMillis(IsMeant is_meant) const;
  std::vector<v1::Answer> AnswersOf(const std::string& job_id) const;
  absl::StatusOr<v1::JobEvent> Accept(const std::string& job_id,
                                      const v1::Answer& answer) const;
  // As of BudgetQuestion.
  absl::Status CheckBudgetPending(const std::string& prompt) const;

  // Both wait for whoever records something.
  std::vector<RunQuestion> Pending();
  BudgetQuestion Budget();

 private:
  bool HasToTell() const;
  // With what is to be told.
  RunQuestions ToTell() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  Mutex alone_mu_;  // taken before mu_
  mutable Mutex mu_;
  RunQuestions told_ ABSL_GUARDED_BY(mu_);
  // To be told.
  std::vector<v1::LedgerEvent> asked_ ABSL_GUARDED_BY(mu_);
  // Where the ledger has the last event that the run's own question was told
  // of: what comes before it there, and is heeded later, is not to settle it.
  int64_t budget_sequence_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_QUESTIONS_QUESTION_KEEPER_H_
