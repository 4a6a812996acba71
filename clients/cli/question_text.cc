#include "clients/cli/question_text.h"

#include <cstdint>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/proto_time.h"

namespace kinora {
namespace {

// For a shell.
std::string Quoted(absl::string_view text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", R"('\'')"}}), "'");
}

std::string Expected(const v1::Question& question) {
  switch (question.kind()) {
    case v1::QUESTION_KIND_CONFIRM:
      return "yes | no";
    case v1::QUESTION_KIND_CHOICE:
      return absl::StrJoin(question.options(), " | ",
                           [](std::string* out, const std::string& option) {
                             absl::StrAppend(out, Quoted(option));
                           });
    case v1::QUESTION_KIND_MULTIPLE: {
      JsonArray options;
      for (const std::string& option : question.options()) {
        options.push_back(option);
      }
      return Quoted(CanonicalJson(std::move(options)));
    }
    case v1::QUESTION_KIND_JSON:
      return "JSON";
    default:
      return "TEXT";
  }
}

std::string AtDeadline(const v1::Question& question, uint32_t level) {
  const auto next = static_cast<int>(level);
  if (next < question.escalations_size()) {
    return absl::StrCat(
        "then ", absl::StrJoin(question.escalations(next).assignees(), ", "));
  }
  switch (question.on_deadline()) {
    case v1::QUESTION_DEADLINE_ACTION_CANCEL_RUN:
      return "then the run is cancelled";
    case v1::QUESTION_DEADLINE_ACTION_FAIL_JOB:
      return "then the job fails";
    default:
      return question.default_json().empty() ? "then the job fails"
                                             : "then what is proposed";
  }
}

// Each line with its end.
std::string Terms(const v1::PendingQuestion& pending) {
  const v1::Question& question = pending.question();
  std::string text;
  const auto add = [&text](const auto&... parts) {
    absl::StrAppend(&text, "    ", parts..., "\n");
  };
  if (!question.default_json().empty()) {
    add("proposed: ", question.default_json());
  }
  // As the event of the ledger has it, it was not escalated.
  const bool is_first = pending.escalations() == 0;
  const auto& people = is_first && pending.assignees().empty()
                           ? question.assignees()
                           : pending.assignees();
  if (!people.empty()) add("for ", absl::StrJoin(people, ", "));
  if (pending.has_deadline() || (is_first && question.has_deadline())) {
    const absl::Time deadline = FromProto(
        pending.has_deadline() ? pending.deadline() : question.deadline());
    add(absl::FormatTime("until %Y-%m-%d %H:%M:%S UTC, ", deadline,
                         absl::UTCTimeZone()),
        AtDeadline(question, pending.escalations()));
  }
  if (question.quorum() > 1) {
    std::string votes;
    for (const v1::Answer& vote : pending.votes()) {
      absl::StrAppend(&votes, votes.empty() ? "; so far " : ", ",
                      vote.answered_by(), " ", vote.value_json());
    }
    add(question.quorum(), " ",
        question.voters() > 0 ? absl::StrCat("of ", question.voters(), " ")
                              : "",
        "people must agree", votes);
  }
  if (question.min_choices() > 0 || question.max_choices() > 0) {
    add(question.min_choices(), " to ",
        question.max_choices() > 0 ? static_cast<int>(question.max_choices())
                                   : question.options_size(),
        " of them");
  }
  if (question.max_length() > 0) {
    add("at most ", question.max_length(), " characters");
  }
  if (!question.pattern().empty()) add("matches ", question.pattern());
  if (!question.metadata_json().empty()) add(question.metadata_json());
  return text;
}

}  // namespace

std::string HowToAnswer(const v1::PendingQuestion& pending) {
  const v1::Question& question = pending.question();
  if (pending.job_id().empty()) {
    const absl::StatusOr<JsonValue> proposed =
        ParseJson(question.default_json());
    if (!proposed.ok() || !proposed->is_string()) return "";
    return absl::StrCat("    kinora answer ", pending.run_id(), " ",
                        question.question_id(), " ",
                        Quoted(proposed->string_value()));
  }
  std::string text = Terms(pending);
  const bool may_skip = question.has_required() && !question.required();
  absl::StrAppend(&text, "    kinora answer ", pending.run_id(), " ",
                  question.question_id(), " ", Expected(question),
                  may_skip ? " | --skip" : "", " --job ",
                  Quoted(pending.job_id()));
  if (question.quorum() > 1) absl::StrAppend(&text, " --by NAME");
  // Whoever answers means what was shown.
  if (!question.content_hash().empty()) {
    absl::StrAppend(&text, " --about ", Quoted(question.content_hash()));
  }
  return text;
}

std::string AnswerJson(v1::QuestionKind kind,
                       absl::Span<const absl::string_view> typed) {
  const bool is_list = kind == v1::QUESTION_KIND_MULTIPLE &&
                       (typed.size() > 1 || !absl::StartsWith(typed[0], "["));
  if (!is_list) return AnswerJson(kind, typed[0]);
  JsonArray options;
  for (absl::string_view option : typed) options.push_back(option);
  return CanonicalJson(JsonValue(std::move(options)));
}

std::string AnswerJson(v1::QuestionKind kind, absl::string_view typed) {
  switch (kind) {
    case v1::QUESTION_KIND_CONFIRM: {
      const std::string word = absl::AsciiStrToLower(typed);
      if (word == "yes" || word == "y") return "true";
      if (word == "no" || word == "n") return "false";
      return std::string(typed);
    }
    case v1::QUESTION_KIND_MULTIPLE:
    case v1::QUESTION_KIND_JSON:
      return std::string(typed);
    default:
      return CanonicalJson(JsonValue(typed));
  }
}

}  // namespace kinora
