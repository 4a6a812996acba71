#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "common/json/canonical_json.h"
#include "common/json/proto_json.h"
#include "common/json/proto_json_scan.h"
#include "common/status.h"
#include "kinora/v1/types.pb.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Where the reader is, for error messages only.
struct Path {
  const Path* parent = nullptr;
  absl::string_view name;
  int index = -1;

  std::string ToString() const {
    std::string text = parent == nullptr ? "" : parent->ToString();
    if (index >= 0) return absl::StrCat(text, "[", index, "]");
    if (name.empty()) return text;
    return text.empty() ? std::string(name) : absl::StrCat(text, ".", name);
  }
};

absl::Status Wrong(const Path& path, const JsonValue& json,
                   absl::string_view expected) {
  std::string name = path.ToString();
  if (name.empty()) name = "(document)";
  return InvalidField(name, CanonicalJson(json),
                      absl::StrCat("expected ", expected));
}

template <typename T>
absl::StatusOr<T> ReadInteger(const JsonValue& json, const Path& path) {
  const std::string expected =
      absl::StrCat("an integer from ", std::numeric_limits<T>::min(), " to ",
                   std::numeric_limits<T>::max());
  if (json.is_string()) {
    T value;
    if (absl::SimpleAtoi(json.string_value(), &value)) return value;
    return Wrong(path, json, expected);
  }
  const std::optional<int64_t> integer = json.integer_value();
  if (!integer.has_value() || !std::in_range<T>(*integer)) {
    return Wrong(path, json, expected);
  }
  return static_cast<T>(*integer);
}

absl::StatusOr<bool> ReadBool(const JsonValue& json, const Path& path) {
  if (json.is_bool()) return json.bool_value();
  if (json.is_string() && json.string_value() == "true") return true;
  if (json.is_string() && json.string_value() == "false") return false;
  return Wrong(path, json, "true or false");
}

absl::StatusOr<double> ReadDouble(const JsonValue& json, const Path& path) {
  if (json.is_number()) return json.number_value();
  double value;
  if (json.is_string() && absl::SimpleAtod(json.string_value(), &value) &&
      std::isfinite(value)) {
    return value;
  }
  return Wrong(path, json, "a number");
}

absl::StatusOr<int> ReadEnum(const JsonValue& json, const Path& path,
                             const EnumDescriptor& type) {
  if (const std::optional<int64_t> number = json.integer_value();
      number.has_value() && std::in_range<int>(*number)) {
    return static_cast<int>(*number);
  }
  std::string words;
  for (int i = 0; i < type.value_count(); ++i) {
    const std::string word = EnumWord(*type.value(i));
    if (json.is_string() && json.string_value() == word) {
      return type.value(i)->number();
    }
    if (i > 0) absl::StrAppend(&words, words.empty() ? "" : ", ", word);
  }
  return Wrong(path, json, absl::StrCat("one of ", words));
}

absl::StatusOr<std::string> ReadText(const JsonValue& json, const Path& path,
                                     bool is_base64) {
  if (!json.is_string()) return Wrong(path, json, "a string");
  if (!is_base64) return json.string_value();
  std::string bytes;
  if (!absl::Base64Unescape(json.string_value(), &bytes)) {
    return Wrong(path, json, "base64");
  }
  return bytes;
}

absl::Status ReadInline(const JsonValue& json, const Path& path,
                        v1::InlineValue* value) {
  int bodies = 0;
  for (const JsonMember& member : json.object()) {
    const Path here{&path, member.key};
    if (member.key == "json") {
      value->set_data(CanonicalJson(member.value));
      ++bodies;
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(
        std::string text, ReadText(member.value, here, member.key == "base64"));
    if (member.key == "hash") {
      value->set_hash(text);
    } else if (member.key == "mimeType") {
      value->set_mime_type(text);
    } else if (member.key == "text" || member.key == "base64") {
      value->set_data(text);
      ++bodies;
    } else {
      return InvalidField(here.ToString(), member.key, "unknown member");
    }
  }
  if (bodies != 1) {
    return Wrong(path, json, "exactly one of json, text, base64");
  }
  return absl::OkStatus();
}

absl::Status ReadBlobRef(const JsonValue& json, const Path& path,
                         v1::BlobRef* blob) {
  for (const JsonMember& member : json.object()) {
    const Path here{&path, member.key};
    if (member.key == "size") {
      KINORA_ASSIGN_OR_RETURN(const int64_t size,
                              ReadInteger<int64_t>(member.value, here));
      blob->mutable_digest()->set_size_bytes(size);
      continue;
    }
    KINORA_ASSIGN_OR_RETURN(std::string text,
                            ReadText(member.value, here, false));
    if (member.key == "hash") {
      blob->mutable_digest()->set_hash(text);
    } else if (member.key == "mimeType") {
      blob->set_mime_type(text);
    } else {
      return InvalidField(here.ToString(), member.key, "unknown member");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadTime(const JsonValue& json, const Path& path,
                      google::protobuf::Timestamp* time) {
  absl::Time moment;
  std::string error;
  if (!json.is_string() ||
      !absl::ParseTime(absl::RFC3339_full, json.string_value(), &moment,
                       &error)) {
    return Wrong(path, json, "an RFC 3339 time");
  }
  // The range of google.protobuf.Timestamp: years of four digits.
  constexpr int64_t kFirstSecond = -62135596800;
  constexpr int64_t kLastSecond = 253402300799;
  const int64_t seconds = absl::ToUnixSeconds(moment);
  if (seconds < kFirstSecond || seconds > kLastSecond) {
    return Wrong(path, json, "a time in the years 0001 to 9999");
  }
  time->set_seconds(seconds);
  time->set_nanos(static_cast<int32_t>(
      absl::ToInt64Nanoseconds(moment - absl::FromUnixSeconds(seconds))));
  return absl::OkStatus();
}

absl::Status ReadDuration(const JsonValue& json, const Path& path,
                          google::protobuf::Duration* span) {
  // The range of google.protobuf.Duration, about 10,000 years.
  constexpr double kMaxSeconds = 315576000000.0;
  if (!json.is_number() || std::abs(json.number_value()) > kMaxSeconds) {
    return Wrong(path, json, "a number of seconds");
  }
  double whole = std::trunc(json.number_value());
  double nanos = std::round((json.number_value() - whole) * 1e9);
  if (std::abs(nanos) >= 1e9) {  // 0.9999999999 rounds to a second
    whole += std::copysign(1.0, nanos);
    nanos = 0;
  }
  span->set_seconds(static_cast<int64_t>(whole));
  span->set_nanos(static_cast<int32_t>(nanos));
  return absl::OkStatus();
}

absl::Status ReadMessage(const JsonValue& json, const Path& path,
                         Message* message);

// Sets a singular field, or adds to a repeated one.
absl::Status ReadValue(const JsonValue& json, const Path& path,
                       const FieldDescriptor& field, Message* message) {
  const Reflection& r = *message->GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      KINORA_ASSIGN_OR_RETURN(const bool value, ReadBool(json, path));
      add ? r.AddBool(message, &field, value)
          : r.SetBool(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      KINORA_ASSIGN_OR_RETURN(const int32_t value,
                              ReadInteger<int32_t>(json, path));
      add ? r.AddInt32(message, &field, value)
          : r.SetInt32(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      KINORA_ASSIGN_OR_RETURN(const uint32_t value,
                              ReadInteger<uint32_t>(json, path));
      add ? r.AddUInt32(message, &field, value)
          : r.SetUInt32(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      KINORA_ASSIGN_OR_RETURN(const int64_t value,
                              ReadInteger<int64_t>(json, path));
      add ? r.AddInt64(message, &field, value)
          : r.SetInt64(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      KINORA_ASSIGN_OR_RETURN(const uint64_t value,
                              ReadInteger<uint64_t>(json, path));
      add ? r.AddUInt64(message, &field, value)
          : r.SetUInt64(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      KINORA_ASSIGN_OR_RETURN(const double value, ReadDouble(json, path));
      add ? r.AddDouble(message, &field, value)
          : r.SetDouble(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_FLOAT: {
      KINORA_ASSIGN_OR_RETURN(const double value, ReadDouble(json, path));
      add ? r.AddFloat(message, &field, static_cast<float>(value))
          : r.SetFloat(message, &field, static_cast<float>(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      KINORA_ASSIGN_OR_RETURN(const int value,
                              ReadEnum(json, path, *field.enum_type()));
      add ? r.AddEnumValue(message, &field, value)
          : r.SetEnumValue(message, &field, value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      const bool is_bytes = field.type() == FieldDescriptor::TYPE_BYTES;
      KINORA_ASSIGN_OR_RETURN(std::string value,
                              ReadText(json, path, is_bytes));
      add ? r.AddString(message, &field, std::move(value))
          : r.SetString(message, &field, std::move(value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ReadMessage(json, path,
                         add ? r.AddMessage(message, &field)
                             : r.MutableMessage(message, &field));
  }
  return absl::OkStatus();
}

absl::Status ReadMap(const JsonValue& json, const Path& path,
                     const FieldDescriptor& field, Message* message) {
  if (!json.is_object()) return Wrong(path, json, "an object");
  for (const JsonMember& member : json.object()) {
    const Path here{&path, member.key};
    Message* entry = message->GetReflection()->AddMessage(message, &field);
    const Descriptor& type = *entry->GetDescriptor();
    KINORA_RETURN_IF_ERROR(
        ReadValue(JsonValue(member.key), here, *type.map_key(), entry));
    // Touches the value, so that `{}` makes an entry of its own.
    KINORA_RETURN_IF_ERROR(
        ReadValue(member.value, here, *type.map_value(), entry));
  }
  return absl::OkStatus();
}

absl::Status ReadField(const JsonValue& json, const Path& path,
                       const FieldDescriptor& field, Message* message) {
  const Reflection& r = *message->GetReflection();
  if (field.is_map()) return ReadMap(json, path, field, message);
  if (field.is_repeated()) {
    if (!json.is_array()) return Wrong(path, json, "an array");
    int index = 0;
    for (const JsonValue& element : json.array()) {
      const Path here{&path, "", index++};
      KINORA_RETURN_IF_ERROR(ReadValue(element, here, field, message));
    }
    return absl::OkStatus();
  }
  if (const auto* oneof = field.real_containing_oneof();
      oneof != nullptr && r.HasOneof(*message, oneof)) {
    return InvalidField(
        path.ToString(), field.json_name(),
        absl::StrCat("given beside ",
                     r.GetOneofFieldDescriptor(*message, oneof)->json_name(),
                     ", of which only one may be set"));
  }
  return ReadValue(json, path, field, message);
}

const FieldDescriptor* FindField(const Descriptor& type,
                                 absl::string_view name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->json_name() == name || field->name() == name) return field;
  }
  return nullptr;
}

absl::Status ReadMessage(const JsonValue& json, const Path& path,
                         Message* message) {
  if (auto* time = dynamic_cast<google::protobuf::Timestamp*>(message)) {
    return ReadTime(json, path, time);
  }
  if (auto* span = dynamic_cast<google::protobuf::Duration*>(message)) {
    return ReadDuration(json, path, span);
  }
  if (!json.is_object()) return Wrong(path, json, "an object");
  if (auto* value = dynamic_cast<v1::InlineValue*>(message)) {
    return ReadInline(json, path, value);
  }
  if (auto* blob = dynamic_cast<v1::BlobRef*>(message)) {
    return ReadBlobRef(json, path, blob);
  }
  std::vector<const FieldDescriptor*> seen;
  for (const JsonMember& member : json.object()) {
    const Path here{&path, member.key};
    const FieldDescriptor* field =
        FindField(*message->GetDescriptor(), member.key);
    if (field == nullptr) {
      return InvalidField(here.ToString(), member.key, "unknown member");
    }
    if (absl::c_linear_search(seen, field)) {
      return InvalidField(here.ToString(), member.key, "given twice");
    }
    seen.push_back(field);
    if (member.value.is_null()) continue;
    KINORA_RETURN_IF_ERROR(ReadField(member.value, here, *field, message));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status JsonToProto(const JsonValue& json, Message* message) {
  message->Clear();
  return ReadMessage(json, Path{}, message);
}

absl::Status ParseDocument(absl::string_view json, Message* message) {
  message->Clear();
  if (ScanCanonical(json, message)) return absl::OkStatus();
  message->Clear();
  // Nothing of ours nests deeper; deeper text is not a document of ours.
  KINORA_ASSIGN_OR_RETURN(const JsonValue value, ParseJson(json));
  return JsonToProto(value, message);
}

}  // namespace kinora
