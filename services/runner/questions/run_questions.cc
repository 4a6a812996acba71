#include "services/runner/questions/run_questions.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/error_reason.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/reported_event.h"
#include "common/status.h"
#include "services/runner/questions/question_check.h"
#include "services/runner/questions/question_terms.h"
#include "services/runner/questions/question_verdict.h"

namespace kinora {
namespace {

// A string member of an event's detail; empty if there is none.
std::string Member(const JsonValue& detail, absl::string_view name) {
  const JsonValue* value = detail.Find(name);
  return value != nullptr && value->is_string() ? value->string_value() : "";
}

int64_t Number(const JsonValue& detail, absl::string_view name) {
  const JsonValue* value = detail.Find(name);
  return value == nullptr ? 0 : value->integer_value().value_or(0);
}

JsonValue DetailOf(const v1::JobEvent& event) {
  return ParseJson(event.detail_json()).value_or(JsonValue());
}

// What somebody has said, of an event that has a value.
v1::Answer AnswerIn(const JsonValue& detail, const v1::Question& question) {
  v1::Answer answer;
  answer.set_question_id(question.question_id());
  answer.set_value_json(CanonicalJson(*detail.Find("value")));
  answer.set_answered_by(Member(detail, "answeredBy"));
  answer.set_content_hash(question.content_hash());
  return answer;
}

absl::Status CheckVoter(const RunQuestion& asked, absl::string_view person) {
  constexpr char kField[] = "answer.answered_by";
  if (person.empty()) {
    return InvalidField(kField, person,
                        absl::StrCat("must be set: ", QuorumOf(asked.question),
                                     " people must agree, each answers once"));
  }
  for (const v1::Answer& vote : asked.votes) {
    if (vote.answered_by() != person) continue;
    return InvalidField(
        kField, person,
        absl::StrCat("has answered already, ", ClipValue(vote.value_json()),
                     ": each person answers once"));
  }
  return absl::OkStatus();
}

absl::Status NotAsked(absl::string_view job_id, const v1::Answer& answer,
                      const std::string& other_content) {
  const std::string why = other_content.empty()
                              ? "it was not asked, or was answered already"
                              : absl::StrCat("it is asked about content ",
                                             ClipValue(other_content));
  return WithReason(
      absl::NotFoundError(
          absl::StrCat(job_id.empty() ? "" : absl::StrCat("job ", job_id, ": "),
                       "no question \"", ClipValue(answer.question_id()),
                       "\" waits for an answer",
                       answer.content_hash().empty()
                           ? ""
                           : absl::StrCat(" about content ",
                                          ClipValue(answer.content_hash())),
                       ": ", why)),
      "QUESTION_NOT_FOUND", {{"question", answer.question_id()}});
}

}  // namespace

void RunQuestions::Apply(const v1::LedgerEvent& event) {
  if (IsReported(event)) return;
  budget_.Apply(event);
  switch (event.kind_case()) {
    case v1::LedgerEvent::kJob: {
      const v1::JobEvent& job = event.job();
      if (job.type() == kQuestionEvent) {
        TakeQuestion(job, event.occurred_at_ms());
      } else if (job.type() == kAnsweredEvent) {
        TakeAnswer(job, event.occurred_at_ms());
      } else if (job.type() == kVotedEvent) {
        TakeVote(job);
      } else if (job.type() == kEscalatedEvent) {
        TakeEscalation(job);
      } else if (job.type() == kUnansweredEvent) {
        TakeEnd(job);
      }
      return;
    }
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

// Null if that was asked.
RunQuestion* RunQuestions::Register(const std::string& job_id,
                                    v1::Question question, int64_t at_ms) {
  if (!IsNew(job_id, question)) return nullptr;
  uint32_t round = 1;
  std::optional<size_t> i = IndexOf(job_id, KeyOf(question));
  if (i.has_value()) {
    round = questions_[*i].round + 1;
  } else {
    i = questions_.size();
    questions_.emplace_back();
  }
  // Also one that is asked anew is the latest.
  std::vector<size_t>& of_job = by_job_[job_id];
  of_job.erase(std::remove(of_job.begin(), of_job.end(), *i), of_job.end());
  for (size_t other : of_job) {
    RunQuestion& before = questions_[other];
    if (before.question.question_id() == question.question_id() &&
        before.is_open()) {
      before.is_void = true;
    }
  }
  of_job.push_back(*i);
  RunQuestion& asked = questions_[*i];
  asked = RunQuestion();
  asked.job_id = job_id;
  asked.round = round;
  asked.asked_at_ms = at_ms;
  asked.assignees.assign(question.assignees().begin(),
                         question.assignees().end());
  asked.deadline_ms = DeadlineMillis(question);
  asked.question = std::move(question);
  return &asked;
}

void RunQuestions::TakeQuestion(const v1::JobEvent& event, int64_t at_ms) {
  v1::Question question;
  if (!ParseDocument(event.detail_json(), &question).ok()) return;
  Register(event.job_id(), std::move(question), at_ms);
}

RunQuestion* RunQuestions::FindFor(const v1::JobEvent& event,
                                   const JsonValue& detail) {
  const std::string id = Member(detail, "questionId");
  std::optional<size_t> i =
      IndexOf(event.job_id(), QuestionKey(id, Member(detail, "contentHash")));
  if (!i.has_value() && detail.Find("contentHash") == nullptr) {
    // Builds that did not heed what a question is about did not tell it.
    const RunQuestion* latest = Latest(event.job_id(), id);
    if (latest != nullptr) i = IndexOf(event.job_id(), KeyOf(latest->question));
  }
  if (!i.has_value()) return nullptr;
  const int64_t round = std::max(int64_t{1}, Number(detail, "round"));
  return round == questions_[*i].round ? &questions_[*i] : nullptr;
}

void RunQuestions::TakeAnswer(const v1::JobEvent& event, int64_t at_ms) {
  const JsonValue detail = DetailOf(event);
  if (detail.Find("value") == nullptr) return;
  RunQuestion* asked = nullptr;
  if (const JsonValue* told = detail.Find("question"); told != nullptr) {
    v1::Question question;
    if (!JsonToProto(*told, &question).ok()) return;
    asked = Register(event.job_id(), std::move(question), at_ms);
  }
  if (asked == nullptr) asked = FindFor(event, detail);
  if (asked == nullptr || asked->answer.has_value() ||
      asked->unanswered.has_value()) {
    return;
  }
  asked->answer = AnswerIn(detail, asked->question);
  asked->is_assumed = detail.Find("assumed") != nullptr;
  asked->approved_in = Member(detail, "approvedIn");
}

void RunQuestions::TakeVote(const v1::JobEvent& event) {
  const JsonValue detail = DetailOf(event);
  RunQuestion* asked = FindFor(event, detail);
  if (asked == nullptr || !asked->is_open()) return;
  if (detail.Find("value") == nullptr || VerdictOfVotes(*asked).has_value()) {
    return;
  }
  v1::Answer vote = AnswerIn(detail, asked->question);
  // The first of a person counts.
  if (!CheckVoter(*asked, vote.answered_by()).ok()) return;
  asked->votes.push_back(std::move(vote));
}

void RunQuestions::TakeEscalation(const v1::JobEvent& event) {
  const JsonValue detail = DetailOf(event);
  RunQuestion* asked = FindFor(event, detail);
  const int64_t level = Number(detail, "level");
  if (asked == nullptr || level != int64_t{asked->level} + 1) return;
  asked->level = static_cast<uint32_t>(level);
  asked->deadline_ms = Number(detail, "deadlineMs");
  asked->assignees.clear();
  const JsonValue* assignees = detail.Find("assignees");
  if (assignees == nullptr || !assignees->is_array()) return;
  for (const JsonValue& person : assignees->array()) {
    if (person.is_string()) asked->assignees.push_back(person.string_value());
  }
}

void RunQuestions::TakeEnd(const v1::JobEvent& event) {
  const JsonValue detail = DetailOf(event);
  RunQuestion* asked = FindFor(event, detail);
  if (asked == nullptr || !asked->is_open()) return;
  Unanswered& unanswered = asked->unanswered.emplace();
  unanswered.no_quorum = Member(detail, "why") == "quorum";
  unanswered.cancels_run = Member(detail, "then") == "cancel_run";
  unanswered.message = event.message();
}

void RunQuestions::EndJob(const std::string& job_id) {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return;
  for (size_t i : job->second) questions_[i].is_void = true;
}

std::optional<size_t> RunQuestions::IndexOf(absl::string_view job_id,
                                            absl::string_view key) const {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return std::nullopt;
  for (size_t i : job->second) {
    if (KeyOf(questions_[i].question) == key) return i;
  }
  return std::nullopt;
}

bool RunQuestions::IsNew(absl::string_view job_id,
                         const v1::Question& question) const {
  const RunQuestion* known = Find(job_id, KeyOf(question));
  return known == nullptr || (known->is_void && !known->answer.has_value());
}

const RunQuestion* RunQuestions::Find(absl::string_view job_id,
                                      absl::string_view key) const {
  const std::optional<size_t> i = IndexOf(job_id, key);
  return i.has_value() ? &questions_[*i] : nullptr;
}

const RunQuestion* RunQuestions::Latest(absl::string_view job_id,
                                        absl::string_view question_id) const {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return nullptr;
  const RunQuestion* latest = nullptr;
  for (size_t i : job->second) {
    if (questions_[i].question.question_id() == question_id) {
      latest = &questions_[i];
    }
  }
  return latest;
}

size_t RunQuestions::UnheededContents(absl::string_view job_id,
                                      absl::string_view question_id) const {
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return 0;
  size_t count = 0;
  for (size_t i : job->second) {
    const RunQuestion& asked = questions_[i];
    if (asked.question.question_id() != question_id) continue;
    const bool was_heeded =
        asked.answer.has_value() && (!asked.is_assumed || !asked.votes.empty());
    if (!was_heeded) ++count;
  }
  return count;
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
  return std::any_of(job->second.begin(), job->second.end(),
                     [this](size_t i) { return questions_[i].is_open(); });
}

std::vector<const RunQuestion*> RunQuestions::Pending() const {
  std::vector<const RunQuestion*> pending;
  for (const RunQuestion& asked : questions_) {
    // What its votes come to is about to be told.
    if (asked.is_open() && !VerdictOfVotes(asked).has_value()) {
      pending.push_back(&asked);
    }
  }
  if (budget_.pending() != nullptr) pending.push_back(budget_.pending());
  return pending;
}

std::vector<std::string> RunQuestions::Jobs() const {
  std::vector<std::string> jobs;
  for (const auto& job : by_job_) jobs.push_back(job.first);
  return jobs;
}

std::vector<const RunQuestion*> RunQuestions::Settled(
    absl::string_view job_id) const {
  std::vector<const RunQuestion*> settled;
  const auto job = by_job_.find(job_id);
  if (job == by_job_.end()) return settled;
  for (size_t i : job->second) {
    const RunQuestion& asked = questions_[i];
    if (asked.unanswered.has_value() ||
        (asked.answer.has_value() && !asked.question.content_hash().empty())) {
      settled.push_back(&asked);
    }
  }
  return settled;
}

std::vector<v1::JobEvent> RunQuestions::Verdicts(int64_t now_ms,
                                                 bool may_cancel_run,
                                                 IsMeant is_meant) const {
  std::vector<v1::JobEvent> verdicts;
  for (const RunQuestion& asked : questions_) {
    if (!asked.is_open() || !is_meant(asked.job_id)) continue;
    auto verdict = VerdictOn(asked, now_ms, may_cancel_run);
    if (verdict.has_value()) verdicts.push_back(*std::move(verdict));
  }
  return verdicts;
}

int64_t RunQuestions::NextVerdictMillis(IsMeant is_meant) const {
  int64_t next = INT64_MAX;
  for (const RunQuestion& asked : questions_) {
    if (!asked.is_open() || !is_meant(asked.job_id)) continue;
    if (VerdictOfVotes(asked).has_value()) return 0;
    if (asked.deadline_ms > 0) next = std::min(next, asked.deadline_ms);
  }
  return next;
}

absl::StatusOr<v1::JobEvent> RunQuestions::Accept(
    absl::string_view job_id, const v1::Answer& answer) const {
  if (answer.answered_by().size() > kMaxPersonBytes) {
    return InvalidField("answer.answered_by", answer.answered_by(),
                        absl::StrCat("at most ", kMaxPersonBytes, " bytes"));
  }
  const RunQuestion* asked = nullptr;
  std::string other_content;
  std::vector<std::string> jobs;
  for (const RunQuestion* pending : Pending()) {
    if (pending->job_id.empty()) continue;
    if (pending->question.question_id() != answer.question_id()) continue;
    if (!job_id.empty() && pending->job_id != job_id) continue;
    if (!answer.content_hash().empty() &&
        pending->question.content_hash() != answer.content_hash()) {
      other_content = pending->question.content_hash();
      continue;
    }
    asked = pending;
    jobs.push_back(pending->job_id);
  }
  if (asked == nullptr) return NotAsked(job_id, answer, other_content);
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
  checked.set_content_hash(asked->question.content_hash());
  v1::JobEvent said;
  if (QuorumOf(asked->question) == 1) {
    said = AnsweredEvent(asked->job_id, checked);
  } else {
    checked.set_answered_by(
        std::string(absl::StripAsciiWhitespace(answer.answered_by())));
    KINORA_RETURN_IF_ERROR(CheckVoter(*asked, checked.answered_by()));
    said = VotedEvent(asked->job_id, checked);
  }
  SetRound(asked->round, &said);
  return said;
}

}  // namespace kinora
