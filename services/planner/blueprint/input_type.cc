#include "services/planner/blueprint/input_type.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#include "common/content.h"
#include "common/digest.h"
#include "common/json/canonical_json.h"
#include "common/json/json_writer.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr absl::string_view kJsonMime = "application/json";
constexpr absl::string_view kTextMime = "text/plain";

constexpr InputType kAllTypes[] = {InputType::kText,   InputType::kInteger,
                                   InputType::kNumber, InputType::kBoolean,
                                   InputType::kJson,   InputType::kFile};

std::string Number(double value) {
  std::string text;
  AppendJsonNumber(value, &text);
  return text;
}

absl::Status WrongType(InputType type, absl::string_view got) {
  return absl::InvalidArgumentError(
      absl::StrCat("must be ", type == InputType::kInteger ? "an " : "a ",
                   InputTypeName(type), ", got ", got));
}

absl::Status CheckBounds(const InputRule& rule, double value) {
  if (rule.minimum.has_value() && value < *rule.minimum) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be at least ", Number(*rule.minimum), ", got ", Number(value)));
  }
  if (rule.maximum.has_value() && value > *rule.maximum) {
    return absl::InvalidArgumentError(absl::StrCat(
        "must be at most ", Number(*rule.maximum), ", got ", Number(value)));
  }
  return absl::OkStatus();
}

// `number 12`, `string "a"`, `null` and the like.
std::string Describe(const JsonValue& value) {
  if (value.is_null()) return "null";
  if (value.is_string()) {
    return absl::StrCat("string \"", ClipValue(value.string_value()), "\"");
  }
  return absl::StrCat(JsonTypeName(value.type()), " ",
                      ClipValue(CanonicalJson(value)));
}

absl::StatusOr<v1::Content> CanonicalBlob(const InputRule& rule,
                                          const v1::BlobRef& blob) {
  absl::StatusOr<Digest> digest = Digest::ParseHex(blob.digest().hash());
  if (!digest.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("a blob's hash: ", digest.status().message()));
  }
  if (blob.digest().size_bytes() < 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a blob's size is not negative, got ", blob.digest().size_bytes()));
  }
  v1::Content content;
  *content.mutable_blob() = blob;
  switch (rule.type) {
    case InputType::kFile:
      if (blob.mime_type().empty()) {
        content.mutable_blob()->set_mime_type("application/octet-stream");
      }
      return content;
    case InputType::kText:
      content.mutable_blob()->set_mime_type(std::string(kTextMime));
      return content;
    case InputType::kJson:
      if (blob.mime_type() != kJsonMime) {
        return absl::InvalidArgumentError(
            absl::StrCat("must be JSON, got a file of type \"",
                         ClipValue(blob.mime_type()), "\""));
      }
      if (blob.digest().size_bytes() > kMaxJsonInputBytes) {
        return absl::InvalidArgumentError(
            absl::StrCat("must have at most ", kMaxJsonInputBytes,
                         " bytes, got a file of ", blob.digest().size_bytes()));
      }
      return content;
    default:
      return WrongType(rule.type, "a file");
  }
}

}  // namespace

absl::string_view InputTypeName(InputType type) {
  switch (type) {
    case InputType::kText:
      return "text";
    case InputType::kInteger:
      return "integer";
    case InputType::kNumber:
      return "number";
    case InputType::kBoolean:
      return "boolean";
    case InputType::kJson:
      return "json";
    case InputType::kFile:
      return "file";
  }
  return "?";
}

std::optional<InputType> ParseInputType(absl::string_view name) {
  for (InputType type : kAllTypes) {
    if (InputTypeName(type) == name) return type;
  }
  return std::nullopt;
}

absl::StatusOr<v1::Content> ContentFromJson(const InputRule& rule,
                                            const JsonValue& value) {
  switch (rule.type) {
    case InputType::kText:
      if (!value.is_string()) return WrongType(rule.type, Describe(value));
      return InlineContent(kTextMime, value.string_value());
    case InputType::kInteger:
      if (!value.integer_value().has_value()) {
        return WrongType(rule.type, Describe(value));
      }
      KINORA_RETURN_IF_ERROR(CheckBounds(rule, value.number_value()));
      break;
    case InputType::kNumber:
      if (!value.is_number()) return WrongType(rule.type, Describe(value));
      KINORA_RETURN_IF_ERROR(CheckBounds(rule, value.number_value()));
      break;
    case InputType::kBoolean:
      if (!value.is_bool()) return WrongType(rule.type, Describe(value));
      break;
    case InputType::kJson:
      break;
    case InputType::kFile:
      return WrongType(rule.type, "JSON; give it as NAME=file:PATH");
  }
  return InlineContent(kJsonMime, CanonicalJson(value));
}

absl::StatusOr<v1::Content> CanonicalContent(const InputRule& rule,
                                             const v1::Content& content) {
  if (content.has_blob()) return CanonicalBlob(rule, content.blob());
  if (!content.has_inline_()) {
    return absl::InvalidArgumentError("has no value");
  }
  const v1::InlineValue& value = content.inline_();
  if (!value.hash().empty() && value.hash() != Sha256Of(value.data()).Hex()) {
    return absl::InvalidArgumentError(
        absl::StrCat("its bytes do not have the hash ", ClipValue(value.hash()),
                     " sent with them"));
  }
  if (value.mime_type() == kJsonMime && rule.type != InputType::kFile) {
    absl::StatusOr<JsonValue> json =
        ParseJson(value.data(), {.exact_integers = true});
    if (absl::IsOutOfRange(json.status())) {
      return absl::InvalidArgumentError(json.status().message());
    }
    if (!json.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("is not JSON: ", json.status().message()));
    }
    return ContentFromJson(rule, *json);
  }
  switch (rule.type) {
    case InputType::kText:
      if (!IsValidUtf8(value.data())) {
        return absl::InvalidArgumentError("must be UTF-8 text");
      }
      return InlineContent(kTextMime, value.data());
    case InputType::kFile:
      return InlineContent(value.mime_type().empty()
                               ? absl::string_view("application/octet-stream")
                               : absl::string_view(value.mime_type()),
                           value.data());
    default:
      return WrongType(
          rule.type,
          absl::StrCat("a value of type \"", ClipValue(value.mime_type()),
                       "\" instead of application/json"));
  }
}

}  // namespace kinora
