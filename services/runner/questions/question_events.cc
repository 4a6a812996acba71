#include "services/runner/questions/question_events.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/ledger_json.h"
#include "common/json/proto_json.h"
#include "common/proto_time.h"
#include "common/utf8.h"

namespace kinora {
namespace {

// Of an answer, in the line that people read.
constexpr size_t kMaxToldBytes = 200;

constexpr char kCancelRun[] = "cancel_run";

v1::JobEvent EventOf(absl::string_view type, const std::string& job_id) {
  v1::JobEvent event;
  event.set_type(std::string(type));
  event.set_job_id(job_id);
  return event;
}

std::string Told(absl::string_view text) {
  text = text.substr(0, kMaxToldBytes);
  return std::string(text.substr(0, ValidUtf8Prefix(text)));
}

JsonObject AnswerDetail(const v1::Answer& answer) {
  JsonObject detail;
  detail.Add("questionId", answer.question_id());
  detail.Add("value", ParseJson(answer.value_json()).value_or(JsonValue()));
  if (!answer.answered_by().empty()) {
    detail.Add("answeredBy", answer.answered_by());
  }
  if (!answer.content_hash().empty()) {
    detail.Add("contentHash", answer.content_hash());
  }
  return detail;
}

void SetDetail(JsonObject detail, v1::JobEvent* event) {
  event->set_detail_json(CanonicalJson(JsonValue(std::move(detail))));
}

}  // namespace

bool TellsOfQuestion(absl::string_view type) {
  return type == kAnsweredEvent || type == kVotedEvent ||
         type == kEscalatedEvent || type == kUnansweredEvent;
}

v1::JobEvent QuestionEvent(const std::string& job_id,
                           const v1::Question& question) {
  v1::JobEvent event = EventOf(kQuestionEvent, job_id);
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
  if (!question.content_hash().empty()) {
    detail.Add("contentHash", question.content_hash());
  }
  if (in_doubt) detail.Add("inDoubt", true);
  if (charged.micros() > 0) detail.Add("cost", CostToJson(charged));
  SetDetail(std::move(detail), &event);
  return event;
}

v1::JobEvent AnsweredEvent(const std::string& job_id,
                           const v1::Answer& answer) {
  v1::JobEvent event = EventOf(kAnsweredEvent, job_id);
  event.set_message(
      absl::StrCat(answer.question_id(), ": ", Told(answer.value_json())));
  SetDetail(AnswerDetail(answer), &event);
  return event;
}

v1::JobEvent AssumedEvent(const std::string& job_id, const v1::Answer& answer,
                          absl::string_view assumed) {
  v1::JobEvent event = AnsweredEvent(job_id, answer);
  absl::StrAppend(event.mutable_message(),
                  assumed == "deadline"
                      ? ", as nobody has answered in time"
                      : ", as no quorum can be reached any more");
  JsonObject detail = AnswerDetail(answer);
  detail.Add("assumed", assumed);
  SetDetail(std::move(detail), &event);
  return event;
}

v1::JobEvent ApprovedEvent(const std::string& job_id,
                           const v1::Question& question,
                           const v1::Answer& answer,
                           const std::string& approved_in) {
  v1::JobEvent event = AnsweredEvent(job_id, answer);
  absl::StrAppend(event.mutable_message(), ", as in ", approved_in,
                  " of the same content");
  JsonObject detail = AnswerDetail(answer);
  detail.Add("approvedIn", approved_in);
  detail.Add("question", ProtoToJson(question));
  SetDetail(std::move(detail), &event);
  return event;
}

v1::JobEvent VotedEvent(const std::string& job_id, const v1::Answer& answer) {
  v1::JobEvent event = EventOf(kVotedEvent, job_id);
  event.set_message(absl::StrCat(answer.answered_by(), " on ",
                                 answer.question_id(), ": ",
                                 Told(answer.value_json())));
  SetDetail(AnswerDetail(answer), &event);
  return event;
}

v1::JobEvent EscalatedEvent(const RunQuestion& asked, int64_t now_ms) {
  const v1::Question& question = asked.question;
  const v1::QuestionEscalation& next =
      question.escalations(static_cast<int>(asked.level));
  v1::JobEvent event = EventOf(kEscalatedEvent, asked.job_id);
  event.set_message(absl::StrCat(question.question_id(), " comes to ",
                                 Told(absl::StrJoin(next.assignees(), ", ")),
                                 ": ", question.prompt()));
  JsonArray assignees;
  for (const std::string& person : next.assignees()) {
    assignees.push_back(person);
  }
  JsonObject detail;
  detail.Add("questionId", question.question_id());
  detail.Add("level", asked.level + 1);
  detail.Add("assignees", std::move(assignees));
  // From now on: who is asked late has the same time to answer.
  if (next.has_timeout()) {
    detail.Add("deadlineMs",
               now_ms + absl::ToInt64Milliseconds(FromProto(next.timeout())));
  }
  if (!question.content_hash().empty()) {
    detail.Add("contentHash", question.content_hash());
  }
  SetDetail(std::move(detail), &event);
  return event;
}

v1::JobEvent UnansweredEvent(const RunQuestion& asked,
                             const Unanswered& unanswered) {
  v1::JobEvent event = EventOf(kUnansweredEvent, asked.job_id);
  event.set_message(unanswered.message);
  JsonObject detail;
  detail.Add("questionId", asked.question.question_id());
  detail.Add("why", unanswered.no_quorum ? "quorum" : "deadline");
  detail.Add("then", unanswered.cancels_run ? kCancelRun : "fail_job");
  if (!asked.question.content_hash().empty()) {
    detail.Add("contentHash", asked.question.content_hash());
  }
  SetDetail(std::move(detail), &event);
  return event;
}

bool CancelsRun(const v1::JobEvent& unanswered) {
  if (unanswered.type() != kUnansweredEvent) return false;
  const auto detail = ParseJson(unanswered.detail_json());
  const JsonValue* then = detail.ok() ? detail->Find("then") : nullptr;
  return then != nullptr && then->is_string() &&
         then->string_value() == kCancelRun;
}

v1::JobEvent VoidedEvent(const std::string& job_id, const v1::Answer& approved,
                         const std::string& new_hash,
                         const std::string& run_id) {
  v1::JobEvent event = EventOf("voided", job_id);
  event.set_message(
      absl::StrCat("the answer to ", approved.question_id(), ", ",
                   Told(approved.value_json()), ", holds no more: it is about ",
                   approved.content_hash(), ", and asked about is ", new_hash));
  JsonObject detail = AnswerDetail(approved);
  detail.Add("newContentHash", new_hash);
  detail.Add("runId", run_id);
  SetDetail(std::move(detail), &event);
  return event;
}

void SetRound(uint32_t round, v1::JobEvent* event) {
  if (round <= 1) return;
  absl::StatusOr<JsonValue> detail = ParseJson(event->detail_json());
  if (!detail.ok() || !detail->is_object()) return;
  detail->object().Set("round", round);
  event->set_detail_json(CanonicalJson(*detail));
}

std::string QuestionRequestId(const v1::JobEvent& event) {
  const JsonValue detail = ParseJson(event.detail_json()).value_or(JsonValue());
  const auto member = [&detail](absl::string_view name) -> std::string {
    const JsonValue* value = detail.Find(name);
    if (value == nullptr) return "";
    return value->is_string() ? value->string_value() : CanonicalJson(*value);
  };
  std::string prefix = "answer/";
  std::string of = absl::StrCat(event.job_id(), "\n", member("questionId"));
  const std::string hash = member("contentHash");
  if (!hash.empty()) absl::StrAppend(&of, "\n", hash);
  const std::string round = member("round");
  if (!round.empty()) absl::StrAppend(&of, "\n\n\n", round);
  if (event.type() == kVotedEvent) {
    prefix = "vote/";
    absl::StrAppend(&of, "\n\n", member("answeredBy"));
  } else if (event.type() == kEscalatedEvent) {
    prefix = "escalation/";
    absl::StrAppend(&of, "\n\n", member("level"));
  }
  // Ids of jobs may be longer than a request id.
  return absl::StrCat(prefix, Sha256Of(of).Hex());
}

}  // namespace kinora
