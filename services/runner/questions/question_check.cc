#include "services/runner/questions/question_check.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/json_schema.h"
#include "common/status.h"
#include "common/utf8.h"
#include "services/runner/questions/question_terms.h"

namespace kinora {
namespace {

constexpr size_t kMaxSchemaBytes = 64 * 1024;
constexpr size_t kMaxPatternBytes = 1024;
constexpr size_t kMaxContentHashBytes = 128;
// Options that an error names.
constexpr int kMaxNamedOptions = 20;

constexpr char kAnswerField[] = "answer.value_json";

bool HasOptions(v1::QuestionKind kind) {
  return kind == v1::QUESTION_KIND_CHOICE || kind == v1::QUESTION_KIND_MULTIPLE;
}

absl::Status CheckSize(absl::string_view field, absl::string_view text,
                       size_t max) {
  if (text.size() <= max) return absl::OkStatus();
  return InvalidField(field, text, absl::StrCat("at most ", max, " bytes"));
}

absl::Status ValidateId(const std::string& id) {
  const auto allowed = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains("_-.:/", absl::string_view(&c, 1));
  };
  if (!id.empty() && id.size() <= kMaxQuestionIdBytes &&
      absl::c_all_of(id, allowed)) {
    return absl::OkStatus();
  }
  return InvalidField("question.question_id", id,
                      absl::StrCat("expected 1 to ", kMaxQuestionIdBytes,
                                   " letters, digits and _ - . : /"));
}

absl::Status ValidateOptions(const v1::Question& question) {
  const int count = question.options_size();
  if (count > kMaxOptions || (count == 0 && HasOptions(question.kind()))) {
    return InvalidField(
        "question.options", absl::StrCat(count),
        absl::StrCat("expected 1 to ", kMaxOptions, " options to choose from"));
  }
  std::set<absl::string_view> seen;
  for (const std::string& option : question.options()) {
    if (option.empty() || option.size() > kMaxOptionBytes) {
      return InvalidField(
          "question.options", option,
          absl::StrCat("an option has 1 to ", kMaxOptionBytes, " bytes"));
    }
    if (!seen.insert(option).second) {
      return InvalidField("question.options", option, "stands there twice");
    }
  }
  return absl::OkStatus();
}

absl::Status ValidateChoices(const v1::Question& question) {
  const uint32_t least = question.min_choices();
  const uint32_t most = question.max_choices();
  if (least == 0 && most == 0) return absl::OkStatus();
  const absl::string_view field =
      least > 0 ? "question.min_choices" : "question.max_choices";
  const std::string shown = absl::StrCat(least > 0 ? least : most);
  if (question.kind() != v1::QUESTION_KIND_MULTIPLE) {
    return InvalidField(field, shown, "only for several choices");
  }
  const uint32_t count = static_cast<uint32_t>(question.options_size());
  for (const auto& [wanted, name] : {std::pair(least, "question.min_choices"),
                                     std::pair(most, "question.max_choices")}) {
    if (wanted <= count) continue;
    return InvalidField(name, absl::StrCat(wanted),
                        absl::StrCat("there are ", count, " options"));
  }
  if (most > 0 && least > most) {
    return InvalidField(field, shown,
                        absl::StrCat("more than max_choices, ", most));
  }
  return absl::OkStatus();
}

// The whole of a text against a pattern. An expression that stands on its own
// cannot end the group it is put into.
absl::StatusOr<std::shared_ptr<const JsonSchema>> SchemaOfPattern(
    const std::string& pattern) {
  const auto compiled = [](const std::string& expression) {
    JsonObject schema;
    schema.Add("pattern", expression);
    return JsonSchema::Compile(CanonicalJson(JsonValue(std::move(schema))));
  };
  KINORA_RETURN_IF_ERROR(compiled(pattern).status());
  return compiled(absl::StrCat("^(?:", pattern, ")$"));
}

absl::Status ValidateText(const v1::Question& question) {
  const bool is_text = question.kind() == v1::QUESTION_KIND_TEXT ||
                       question.kind() == v1::QUESTION_KIND_UNSPECIFIED;
  if (question.max_length() > 0 && !is_text) {
    return InvalidField("question.max_length",
                        absl::StrCat(question.max_length()), "only for text");
  }
  if (question.pattern().empty()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(
      CheckSize("question.pattern", question.pattern(), kMaxPatternBytes));
  if (!is_text) {
    return InvalidField("question.pattern", question.pattern(),
                        "only for text");
  }
  const absl::Status usable = SchemaOfPattern(question.pattern()).status();
  if (usable.ok()) return usable;
  return InvalidField("question.pattern", question.pattern(), usable.message());
}

absl::Status ValidateMetadata(const v1::Question& question) {
  constexpr char kField[] = "question.metadata_json";
  const std::string& metadata = question.metadata_json();
  if (metadata.empty()) return absl::OkStatus();
  KINORA_RETURN_IF_ERROR(CheckSize(kField, metadata, kMaxMetadataBytes));
  const absl::StatusOr<JsonValue> parsed = ParseJson(metadata);
  if (parsed.ok() && parsed->is_object()) return absl::OkStatus();
  return InvalidField(kField, metadata, "expected a JSON object");
}

bool IsOption(const v1::Question& question, const JsonValue& value) {
  return value.is_string() &&
         absl::c_linear_search(question.options(), value.string_value());
}

std::string NamedOptions(const v1::Question& question) {
  std::string names;
  for (int i = 0; i < question.options_size(); ++i) {
    if (i == kMaxNamedOptions) {
      absl::StrAppend(&names, " and ", question.options_size() - i, " more");
      break;
    }
    absl::StrAppend(&names, i == 0 ? "" : ", ",
                    CanonicalJson(JsonValue(question.options(i))));
  }
  return names;
}

std::string ObjectionOfSchema(const std::string& schema_json,
                              const JsonValue& value) {
  if (schema_json.empty()) return "";
  const auto schema = JsonSchema::Compile(schema_json);
  // One that was asked before schemas were looked at must have an answer.
  if (!schema.ok()) return "";
  const absl::Status fits = (*schema)->Check(value);
  if (fits.ok()) return "";
  return absl::StrCat("does not fit the question's JSON Schema: ",
                      fits.message());
}

size_t CharactersOf(absl::string_view text) {
  size_t count = 0;
  for (; !text.empty(); ++count) {
    text.remove_prefix(std::max(size_t{1}, Utf8CharLength(text)));
  }
  return count;
}

std::string ObjectionToText(const v1::Question& question,
                            const JsonValue& value) {
  if (!value.is_string()) return "expected a string";
  if (question.max_length() > 0 &&
      CharactersOf(value.string_value()) > question.max_length()) {
    return absl::StrCat("expected at most ", question.max_length(),
                        " characters");
  }
  if (question.pattern().empty()) return "";
  const auto pattern = SchemaOfPattern(question.pattern());
  if (!pattern.ok() || (*pattern)->Check(value).ok()) return "";
  return absl::StrCat("expected a text that matches ",
                      CanonicalJson(JsonValue(question.pattern())));
}

std::string ObjectionToChoices(const v1::Question& question,
                               const JsonValue& value) {
  std::set<std::string> seen;
  const auto is_new_option = [&](const JsonValue& element) {
    return IsOption(question, element) &&
           seen.insert(element.string_value()).second;
  };
  if (!value.is_array() || !absl::c_all_of(value.array(), is_new_option)) {
    return absl::StrCat("expected an array of some of ", NamedOptions(question),
                        ", none of them twice");
  }
  const size_t count = value.array().size();
  if (count < question.min_choices()) {
    return absl::StrCat("expected at least ", question.min_choices(),
                        " of the options");
  }
  if (question.max_choices() > 0 && count > question.max_choices()) {
    return absl::StrCat("expected at most ", question.max_choices(),
                        " of the options");
  }
  return "";
}

// What is wrong with an answer; empty if nothing is.
std::string Objection(const v1::Question& question, const JsonValue& value) {
  switch (question.kind()) {
    case v1::QUESTION_KIND_CONFIRM:
      return value.is_bool() ? "" : "expected true or false";
    case v1::QUESTION_KIND_CHOICE:
      if (IsOption(question, value)) return "";
      return absl::StrCat("expected one of ", NamedOptions(question));
    case v1::QUESTION_KIND_MULTIPLE:
      return ObjectionToChoices(question, value);
    case v1::QUESTION_KIND_JSON:
      return ObjectionOfSchema(question.schema_json(), value);
    default:  // text
      return ObjectionToText(question, value);
  }
}

}  // namespace

absl::Status ValidateQuestion(const v1::Question& question) {
  KINORA_RETURN_IF_ERROR(ValidateId(question.question_id()));
  if (question.prompt().empty()) {
    return InvalidField("question.prompt", "", "must be set");
  }
  KINORA_RETURN_IF_ERROR(
      CheckSize("question.prompt", question.prompt(), kMaxPromptBytes));
  if (!v1::QuestionKind_IsValid(question.kind())) {
    return InvalidField("question.kind",
                        absl::StrCat(static_cast<int>(question.kind())),
                        "this build does not know such questions");
  }
  KINORA_RETURN_IF_ERROR(ValidateOptions(question));
  KINORA_RETURN_IF_ERROR(ValidateChoices(question));
  KINORA_RETURN_IF_ERROR(ValidateText(question));
  KINORA_RETURN_IF_ERROR(ValidateTerms(question));
  KINORA_RETURN_IF_ERROR(CheckSize(
      "question.content_hash", question.content_hash(), kMaxContentHashBytes));
  KINORA_RETURN_IF_ERROR(ValidateMetadata(question));
  KINORA_RETURN_IF_ERROR(CheckSize("question.schema_json",
                                   question.schema_json(), kMaxSchemaBytes));
  if (!question.schema_json().empty()) {
    KINORA_RETURN_IF_ERROR(
        Annotate(JsonSchema::Compile(question.schema_json()).status(),
                 "question.schema_json"));
  }
  if (question.default_json().empty()) return absl::OkStatus();
  return Annotate(CheckAnswer(question, question.default_json()).status(),
                  "question.default_json");
}

absl::StatusOr<std::string> CheckAnswer(const v1::Question& question,
                                        absl::string_view value_json) {
  KINORA_RETURN_IF_ERROR(CheckSize(kAnswerField, value_json, kMaxAnswerBytes));
  const absl::StatusOr<JsonValue> value =
      ParseJson(value_json, {.exact_integers = true});
  std::string objection;
  if (value.ok() && value->is_null() && MayBePassedOver(question)) {
    return CanonicalJson(*value);
  }
  if (value.ok()) {
    objection = Objection(question, *value);
  } else if (question.kind() == v1::QUESTION_KIND_JSON) {
    objection = absl::StrCat("expected JSON: ", value.status().message());
  } else {
    objection = Objection(question, JsonValue());
  }
  if (!objection.empty()) {
    return InvalidField(kAnswerField, value_json, objection);
  }
  return CanonicalJson(*value);
}

}  // namespace kinora
