#include "services/runner/questions/question_verdict.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "services/runner/questions/question_events.h"
#include "services/runner/questions/question_terms.h"

namespace kinora {
namespace {

v1::Answer AnswerOf(const v1::Question& question, std::string value_json,
                    const std::vector<std::string>& people) {
  v1::Answer answer;
  answer.set_question_id(question.question_id());
  answer.set_value_json(std::move(value_json));
  answer.set_answered_by(absl::StrJoin(people, ", "));
  answer.set_content_hash(question.content_hash());
  return answer;
}

v1::JobEvent EndUnanswered(const RunQuestion& asked, bool no_quorum,
                           bool cancels_run, std::string message) {
  Unanswered unanswered;
  unanswered.no_quorum = no_quorum;
  unanswered.cancels_run = cancels_run;
  unanswered.message = std::move(message);
  return UnansweredEvent(asked, unanswered);
}

v1::JobEvent DeadlinePassed(const RunQuestion& asked, bool may_cancel_run) {
  const v1::Question& question = asked.question;
  const v1::QuestionDeadlineAction action = question.on_deadline();
  // Nobody has to answer what people may pass over.
  const bool is_passed_over =
      question.default_json().empty() && MayBePassedOver(question);
  const bool assumes = action == v1::QUESTION_DEADLINE_ACTION_DEFAULT ||
                       (action == v1::QUESTION_DEADLINE_ACTION_UNSPECIFIED &&
                        (is_passed_over || !question.default_json().empty()));
  const auto value =
      ParseJson(is_passed_over ? "null" : question.default_json());
  if (assumes && value.ok()) {
    return AssumedEvent(asked.job_id,
                        AnswerOf(question, CanonicalJson(*value), {}),
                        "deadline");
  }
  return EndUnanswered(
      asked, /*no_quorum=*/false,
      may_cancel_run && action == v1::QUESTION_DEADLINE_ACTION_CANCEL_RUN,
      absl::StrCat("nobody answered \"", question.question_id(), "\" of job ",
                   asked.job_id, " by ",
                   absl::FormatTime("%Y-%m-%dT%H:%M:%SZ",
                                    absl::FromUnixMillis(asked.deadline_ms),
                                    absl::UTCTimeZone())));
}

}  // namespace

std::optional<v1::JobEvent> VerdictOfVotes(const RunQuestion& asked) {
  const v1::Question& question = asked.question;
  const size_t quorum = QuorumOf(question);
  if (quorum <= 1) return std::nullopt;
  std::map<std::string, std::vector<std::string>> people_by_value;
  size_t most = 0;
  for (const v1::Answer& vote : asked.votes) {
    std::vector<std::string>& people = people_by_value[vote.value_json()];
    people.push_back(vote.answered_by());
    most = std::max(most, people.size());
    if (people.size() < quorum) continue;
    return AnsweredEvent(asked.job_id,
                         AnswerOf(question, vote.value_json(), people));
  }
  const size_t voters = VotersOf(question);
  const size_t left = voters - std::min(voters, asked.votes.size());
  // What not enough people can agree to any more is not agreed to.
  if (question.kind() == v1::QUESTION_KIND_CONFIRM) {
    if (people_by_value["true"].size() + left >= quorum) return std::nullopt;
    return AssumedEvent(asked.job_id,
                        AnswerOf(question, "false", people_by_value["false"]),
                        "quorum");
  }
  if (most + left >= quorum) return std::nullopt;
  return EndUnanswered(
      asked, /*no_quorum=*/true, /*cancels_run=*/false,
      absl::StrCat("no ", quorum, " of ", voters, " people agree on \"",
                   question.question_id(), "\" of job ", asked.job_id));
}

std::optional<v1::JobEvent> VerdictOn(const RunQuestion& asked, int64_t now_ms,
                                      bool may_cancel_run) {
  if (!asked.is_open() || asked.job_id.empty()) return std::nullopt;
  std::optional<v1::JobEvent> verdict = VerdictOfVotes(asked);
  const bool is_due = asked.deadline_ms > 0 && now_ms >= asked.deadline_ms;
  if (!verdict.has_value() && is_due) {
    const auto levels = static_cast<size_t>(asked.question.escalations_size());
    verdict = asked.level < levels ? EscalatedEvent(asked, now_ms)
                                   : DeadlinePassed(asked, may_cancel_run);
  }
  if (verdict.has_value()) SetRound(asked.round, &*verdict);
  return verdict;
}

v1::Failure FailureOf(const RunQuestion& asked) {
  v1::Failure failure;
  // A person's no is no error of the producer.
  failure.set_reason(asked.unanswered->no_quorum
                         ? v1::FAILURE_REASON_REJECTED
                         : v1::FAILURE_REASON_DEADLINE_EXCEEDED);
  failure.set_message(asked.unanswered->message);
  return failure;
}

}  // namespace kinora
