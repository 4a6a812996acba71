#include "services/runner/run_questions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/canonical_json.h"
#include "common/digest.h"
#include "common/error_reason.h"
#include "common/json.h"
#include "common/ledger_json.h"
#include "common/proto_json.h"
#include "common/status.h"
#include "common/utf8.h"
#include "services/runner/question_check.h"

namespace kinora {
namespace {

constexpr size_t kMaxAnsweredByBytes = 256;
// Of an answer, in the line that people read.
constexpr size_t kMaxToldBytes = 200;

// A string member of an event's detail; empty if there is none.
std::string Member(const JsonValue& detail, absl::string_view name) {
  const JsonValue* value = detail.Find(name);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

v1::JobEvent EventOf(absl::string_view type, const std::string& job_id) {
  v1::JobEvent event;
  event.set_type(std::string(type));
  event.set_job_id(job_id);
  return event;
}

}  // namespace

void RunQuestions::Apply(const v1::LedgerEvent& event) {
  budget_.Apply(event);
  switch (event.kind_case()) {
    case v1::LedgerEvent::kJob:
      if (event.job().type() == "question") {
        TakeQuestion(event.job(), event.occurred_at_ms());
      } else if (event.job().type() == "answered") {
        TakeAnswer(event.job());
      }
      return;
    case v1::LedgerEvent::kStepCompleted:
      return EndJob(event.step_completed().step().step_id());
    case v1::LedgerEvent::kStepFailed:
      return EndJob(event.step_failed().step().step_id());
    case v1::LedgerEvent::kStepSkipped:
      return EndJob(event.step_skipped().step().step_id());
    default:
      return;
  }
}

void RunQuestions::TakeQuestion(const v1::JobEvent& event, int64_t at_ms) {
  RunQuestion asked;
  asked.job_id = event.job_id();
  asked.asked_at_ms = at_ms;
  if (!ParseDocument(event.detail_json(), &asked.question).ok()) return;
  if (IndexOf(asked.job_id, asked.question.question_id()).has_value()) return;
  by_job_[asked.job_id].push_back(questions_.size());
  questions_.push_back(std::move(asked));
}

void RunQuestions::TakeAnswer(const v1::JobEvent& event) {
  const absl::StatusOr<JsonValue> detail = ParseJson(event.detail_json());
  const JsonValue* value = detail.ok() ? detail->Find("value") : nullptr;
  if (value == nullptr) return;
  const std::optional<size_t> i =
      IndexOf(event.job_id(), Member(*detail, "questionId"));
  if (!i.has_value() || questions_[*i].answer.has_value()) return;
  v1::Answer& answer = questions_[*i].answer.emplace();
  answer.set_question_id(questions_[*i].question.question_id());
  answer.set_value_json(CanonicalJson(*value));
  answer.set_answered_by(Member(*detail, "answeredBy"));
}

void RunQuestions::EndJob(const std::string& job_id) {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return;
  for (size_t i : job->second) questions_[i].is_void = true;
}

std::optional<size_t> RunQuestions::IndexOf(
    absl::string_view job_id, absl::string_view question_id) const {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return std::nullopt;
  for (size_t i : job->second) {
    if (questions_[i].question.question_id() == question_id) return i;
  }
  return std::nullopt;
}

const RunQuestion* RunQuestions::Find(absl::string_view job_id,
                                      absl::string_view question_id) const {
  const std::optional<size_t> i = IndexOf(job_id, question_id);
  return i.has_value() ? &questions_[*i] : nullptr;
}

std::vector<v1::Answer> RunQuestions::AnswersOf(
    absl::string_view job_id) const {
  std::vector<v1::Answer> answers;
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return answers;
  for (size_t i : job->second) {
    if (questions_[i].answer.has_value()) {
      answers.push_back(*questions_[i].answer);
    }
  }
  return answers;
}

bool RunQuestions::Waits(absl::string_view job_id) const {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return false;
  return std::any_of(job->second.begin(), job->second.end(), [this](size_t i) {
    return !questions_[i].answer.has_value() && !questions_[i].is_void;
  });
}

std::vector<const RunQuestion*> RunQuestions::Pending() const {
  std::vector<const RunQuestion*> pending;
  for (const RunQuestion& asked : questions_) {
    if (!asked.answer.has_value() && !asked.is_void) pending.push_back(&asked);
  }
  if (budget_.pending() != nullptr) pending.push_back(budget_.pending());
  return pending;
}

absl::StatusOr<v1::JobEvent> RunQuestions::Accept(
    absl::string_view job_id, const v1::Answer& answer) const {
  if (answer.answered_by().size() > kMaxAnsweredByBytes) {
    return InvalidField(
        "answer.answered_by", answer.answered_by(),
        absl::StrCat("at most ", kMaxAnsweredByBytes, " bytes"));
  }
  const RunQuestion* asked = nullptr;
  std::vector<std::string> jobs;
  for (const RunQuestion* pending : Pending()) {
    if (pending->job_id.empty()) continue;
    if (pending->question.question_id() != answer.question_id()) continue;
    if (!job_id.empty() && pending->job_id != job_id) continue;
    asked = pending;
    jobs.push_back(pending->job_id);
  }
  if (asked == nullptr) {
    return WithReason(
        absl::NotFoundError(absl::StrCat(
            job_id.empty() ? "" : absl::StrCat("job ", job_id, ": "),
            "no question \"", ClipValue(answer.question_id()),
            "\" waits for an answer: it was not asked, or was answered "
            "already")),
        "QUESTION_NOT_FOUND", {{"question", answer.question_id()}});
  }
  if (jobs.size() > 1) {
    constexpr size_t kMaxNamed = 20;
    if (jobs.size() > kMaxNamed) {
      const size_t more = jobs.size() - kMaxNamed;
      jobs.resize(kMaxNamed);
      jobs.push_back(absl::StrCat(more, " more"));
    }
    return InvalidField(
        "job_id", "",
        absl::StrCat("question \"", answer.question_id(),
                     "\" was asked by each of ", absl::StrJoin(jobs, ", ")));
  }
  v1::Answer checked = answer;
  KINORA_ASSIGN_OR_RETURN(*checked.mutable_value_json(),
                          CheckAnswer(asked->question, answer.value_json()));
  return AnsweredEvent(asked->job_id, checked);
}

v1::JobEvent QuestionEvent(const std::string& job_id,
                           const v1::Question& question) {
  v1::JobEvent event = EventOf("question", job_id);
  event.set_message(question.prompt());
  event.set_detail_json(CanonicalBytes(question));
  return event;
}

v1::JobEvent AskingEvent(const std::string& job_id,
                         const v1::Question& question, bool in_doubt,
                         const v1::Cost& charged) {
  v1::JobEvent event = EventOf("asking", job_id);
  event.set_message(question.prompt());
  JsonObject detail;
  detail.Add("questionId", question.question_id());
  if (in_doubt) detail.Add("inDoubt", true);
  if (charged.micros() > 0) detail.Add("cost", CostToJson(charged));
  event.set_detail_json(CanonicalJson(std::move(detail)));
  return event;
}

v1::JobEvent AnsweredEvent(const std::string& job_id,
                           const v1::Answer& answer) {
  v1::JobEvent event = EventOf("answered", job_id);
  absl::string_view told = answer.value_json();
  told = told.substr(0, kMaxToldBytes);
  told = told.substr(0, ValidUtf8Prefix(told));
  event.set_message(absl::StrCat(answer.question_id(), ": ", told));
  JsonObject detail;
  detail.Add("questionId", answer.question_id());
  detail.Add("value", ParseJson(answer.value_json()).value_or(JsonValue()));
  if (!answer.answered_by().empty()) {
    detail.Add("answeredBy", answer.answered_by());
  }
  event.set_detail_json(CanonicalJson(std::move(detail)));
  return event;
}

std::string AnswerRequestId(const v1::JobEvent& answered) {
  const absl::StatusOr<JsonValue> detail = ParseJson(answered.detail_json());
  const std::string question = detail.ok() ? Member(*detail, "questionId") : "";
  // Ids of jobs may be longer than a request id.
  return absl::StrCat(
      "answer/",
      Sha256Of(absl::StrCat(answered.job_id(), "\n", question)).Hex());
}

}  // namespace kinora
