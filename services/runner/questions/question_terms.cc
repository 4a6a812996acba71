#include "services/runner/questions/question_terms.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"

#include "common/proto_time.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr absl::Duration kLongestTimeout = absl::Hours(24 * 3653);

std::string Field(absl::string_view name) {
  return absl::StrCat("question.", name);
}

absl::Status ValidateTimeout(absl::string_view field,
                             const google::protobuf::Duration& timeout) {
  // Parts with different signs, or too many of one, are no duration.
  const bool is_sane = timeout.seconds() >= 0 && timeout.nanos() >= 0 &&
                       timeout.nanos() < 1'000'000'000 &&
                       absl::Seconds(timeout.seconds()) <= kLongestTimeout;
  if (is_sane && FromProto(timeout) > absl::ZeroDuration()) {
    return absl::OkStatus();
  }
  return InvalidField(
      field, absl::StrCat(timeout.seconds(), " s ", timeout.nanos(), " ns"),
      "expected more than none, and at most 10 years");
}

absl::Status ValidateDeadline(const v1::Question& question) {
  if (question.has_timeout()) {
    KINORA_RETURN_IF_ERROR(
        ValidateTimeout(Field("timeout"), question.timeout()));
  }
  if (!question.has_deadline()) return absl::OkStatus();
  const google::protobuf::Timestamp& deadline = question.deadline();
  const std::string shown = absl::StrCat(deadline.seconds(), " s since 1970");
  if (question.has_timeout()) {
    return InvalidField(Field("deadline"), shown,
                        "a question has a timeout or a deadline, not both");
  }
  const absl::Time latest =
      absl::FromCivil(absl::CivilYear(9999), absl::UTCTimeZone());
  if (deadline.seconds() > 0 && deadline.nanos() >= 0 &&
      deadline.nanos() < 1'000'000'000 &&
      absl::FromUnixSeconds(deadline.seconds()) < latest) {
    return absl::OkStatus();
  }
  return InvalidField(Field("deadline"), shown,
                      "expected a time after 1970 and before the year 9999");
}

absl::Status ValidateAction(const v1::Question& question) {
  const v1::QuestionDeadlineAction action = question.on_deadline();
  const std::string shown = absl::StrCat(static_cast<int>(action));
  if (!v1::QuestionDeadlineAction_IsValid(action)) {
    return InvalidField(Field("on_deadline"), shown,
                        "this build does not know such an action");
  }
  if (action == v1::QUESTION_DEADLINE_ACTION_DEFAULT &&
      question.default_json().empty() && !MayBePassedOver(question)) {
    return InvalidField(Field("on_deadline"), shown,
                        "there is no default_json to assume");
  }
  return absl::OkStatus();
}

template <typename Names>
absl::Status ValidatePeople(const std::string& field, const Names& people) {
  if (people.size() > kMaxAssignees) {
    return InvalidField(field, absl::StrCat(people.size()),
                        absl::StrCat("expected at most ", kMaxAssignees));
  }
  std::set<absl::string_view> seen;
  for (const std::string& person : people) {
    if (person.empty() || person.size() > kMaxPersonBytes) {
      return InvalidField(
          field, person,
          absl::StrCat("expected 1 to ", kMaxPersonBytes, " bytes"));
    }
    if (!seen.insert(person).second) {
      return InvalidField(field, person, "stands there twice");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateEscalations(const v1::Question& question) {
  const int count = question.escalations_size();
  if (count > kMaxEscalations) {
    return InvalidField(Field("escalations"), absl::StrCat(count),
                        absl::StrCat("expected at most ", kMaxEscalations));
  }
  if (count > 0 && !question.has_timeout() && !question.has_deadline()) {
    return InvalidField(Field("escalations"), absl::StrCat(count),
                        "nothing is escalated without a timeout or deadline");
  }
  for (int i = 0; i < count; ++i) {
    const v1::QuestionEscalation& next = question.escalations(i);
    const std::string field = Field(absl::StrCat("escalations[", i, "]"));
    if (next.assignees().empty()) {
      return InvalidField(absl::StrCat(field, ".assignees"), "", "must be set");
    }
    KINORA_RETURN_IF_ERROR(
        ValidatePeople(absl::StrCat(field, ".assignees"), next.assignees()));
    if (next.has_timeout()) {
      KINORA_RETURN_IF_ERROR(
          ValidateTimeout(absl::StrCat(field, ".timeout"), next.timeout()));
    } else if (i + 1 < count) {
      return InvalidField(absl::StrCat(field, ".timeout"), "",
                          "must be set, as others are asked after these");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateQuorum(const v1::Question& question) {
  if (question.quorum() > kMaxQuorum) {
    return InvalidField(Field("quorum"), absl::StrCat(question.quorum()),
                        absl::StrCat("expected at most ", kMaxQuorum));
  }
  if (question.voters() == 0) return absl::OkStatus();
  if (question.quorum() <= 1) {
    return InvalidField(Field("voters"), absl::StrCat(question.voters()),
                        "only a question with a quorum of 2 or more has them");
  }
  if (question.voters() < question.quorum()) {
    return InvalidField(
        Field("voters"), absl::StrCat(question.voters()),
        absl::StrCat("fewer than the quorum, ", question.quorum()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateTerms(const v1::Question& question) {
  KINORA_RETURN_IF_ERROR(ValidateDeadline(question));
  KINORA_RETURN_IF_ERROR(ValidateAction(question));
  KINORA_RETURN_IF_ERROR(
      ValidatePeople(Field("assignees"), question.assignees()));
  KINORA_RETURN_IF_ERROR(ValidateEscalations(question));
  return ValidateQuorum(question);
}

uint32_t QuorumOf(const v1::Question& question) {
  return std::max(uint32_t{1}, question.quorum());
}

uint32_t VotersOf(const v1::Question& question) {
  if (question.voters() > 0) return question.voters();
  return std::max(kMaxVotes, 2 * QuorumOf(question));
}

bool MayBePassedOver(const v1::Question& question) {
  return question.has_required() && !question.required();
}

void StampDeadline(int64_t now_ms, v1::Question* question) {
  if (question->has_deadline() || !question->has_timeout()) return;
  *question->mutable_deadline() =
      ToProto(absl::FromUnixMillis(now_ms) + FromProto(question->timeout()));
}

int64_t DeadlineMillis(const v1::Question& question) {
  if (!question.has_deadline()) return 0;
  return absl::ToUnixMillis(FromProto(question.deadline()));
}

}  // namespace kinora
