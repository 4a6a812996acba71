#include "clients/cli/question_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

#include "common/canonical_json.h"
#include "common/json.h"

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
  std::string text;
  if (!question.default_json().empty()) {
    absl::StrAppend(&text, "    proposed: ", question.default_json(), "\n");
  }
  absl::StrAppend(&text, "    kinora answer ", pending.run_id(), " ",
                  question.question_id(), " ", Expected(question), " --job ",
                  Quoted(pending.job_id()));
  return text;
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
