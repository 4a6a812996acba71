// The part of ProduceSession for questions: they are told on as they come, and
// answers are written by the writing loop, if the producer waits for them.

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cpp/producer/produce_session.h"
#include "services/runner/questions/question_check.h"

namespace kinora {
namespace {

// Each is kept in the run's ledger.
constexpr int kMaxQuestions = 100;

}  // namespace

void ProduceSession::HandleQuestion() {
  const v1::Question& question = incoming_.question();
  absl::Status valid = ValidateQuestion(question);
  if (valid.ok() && ++questions_ > kMaxQuestions) {
    valid = absl::ResourceExhaustedError(
        absl::StrCat("an attempt asks at most ", kMaxQuestions, " questions"));
  }
  if (!valid.ok()) {
    return Break(v1::FAILURE_REASON_PRODUCER_ERROR,
                 absl::StrCat("the producer asks what cannot be answered: ",
                              valid.message()),
                 false);
  }
  {
    MutexLock lock(mu_);
    asked_.insert(question.question_id());
  }
  if (manners_.answers_on_stream) watch_->Ask(true);
  observer_->OnQuestion(question, manners_.answers_on_stream);
}

// Writes the next answer, waits for one, or ends the loop.
void ProduceSession::WriteAnswer() {
  bool over = false;
  {
    MutexLock lock(mu_);
    over = answers_over_;
    if (!over && answers_.empty()) {
      awaits_answers_ = true;
      return;
    }
    if (!over) {
      outgoing_.Clear();
      *outgoing_.mutable_answer() = std::move(answers_.front());
      answers_.pop_front();
    }
  }
  over ? EndWriting() : StartWrite(&outgoing_);
}

void ProduceSession::Answer(const v1::Answer& answer) {
  {
    MutexLock lock(mu_);
    if (!manners_.answers_on_stream ||
        asked_.erase(answer.question_id()) == 0) {
      return;
    }
    if (asked_.empty()) watch_->Ask(false);
    answers_.push_back(answer);
    if (!std::exchange(awaits_answers_, false)) return;
  }
  // The writing loop's hold keeps the call from ending before this.
  WriteAnswer();
}

void ProduceSession::StopAnswering() {
  {
    MutexLock lock(mu_);
    answers_over_ = true;
    if (!std::exchange(awaits_answers_, false)) return;
  }
  EndWriting();
}

}  // namespace kinora
