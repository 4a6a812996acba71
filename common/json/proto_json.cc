#include "common/json/proto_json.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

#include "common/json/canonical_json.h"
#include "common/utf8.h"
#include "kinora/v1/types.pb.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// "JobNeed" -> "JOB_NEED_".
std::string EnumPrefix(const EnumDescriptor& type) {
  std::string prefix;
  for (char c : type.name()) {
    if (absl::ascii_isupper(c) && !prefix.empty()) prefix.push_back('_');
    prefix.push_back(absl::ascii_toupper(c));
  }
  prefix.push_back('_');
  return prefix;
}

JsonValue IntegerToJson(int64_t value) {
  absl::StatusOr<JsonValue> json = JsonValue::FromInteger(value);
  return json.ok() ? *std::move(json) : JsonValue(absl::StrCat(value));
}

JsonValue UnsignedToJson(uint64_t value) {
  if (value > static_cast<uint64_t>(kMaxJsonInteger)) {
    return JsonValue(absl::StrCat(value));
  }
  return JsonValue(value);
}

JsonValue DoubleToJson(double value) {
  absl::StatusOr<JsonValue> json = JsonValue::FromDouble(value);
  return json.ok() ? *std::move(json) : JsonValue();
}

JsonValue InlineToJson(const v1::InlineValue& value) {
  JsonObject object;
  if (!value.hash().empty()) object.Add("hash", value.hash());
  if (!value.mime_type().empty()) object.Add("mimeType", value.mime_type());
  if (value.mime_type() == "application/json") {
    absl::StatusOr<JsonValue> json = ParseJson(value.data());
    if (json.ok() && CanonicalJson(*json) == value.data()) {
      object.Add("json", *std::move(json));
      return object;
    }
  }
  if (IsValidUtf8(value.data())) {
    object.Add("text", value.data());
  } else {
    object.Add("base64", absl::Base64Escape(value.data()));
  }
  return object;
}

JsonValue BlobRefToJson(const v1::BlobRef& blob) {
  JsonObject object;
  object.Add("hash", blob.digest().hash());
  object.Add("size", IntegerToJson(blob.digest().size_bytes()));
  if (!blob.mime_type().empty()) object.Add("mimeType", blob.mime_type());
  return object;
}

// Messages with a form of their own; false for all others.
bool SpecialToJson(const Message& message, JsonValue* json) {
  if (auto* value = dynamic_cast<const v1::InlineValue*>(&message)) {
    *json = InlineToJson(*value);
    return true;
  }
  if (auto* blob = dynamic_cast<const v1::BlobRef*>(&message)) {
    *json = BlobRefToJson(*blob);
    return true;
  }
  if (auto* time = dynamic_cast<const google::protobuf::Timestamp*>(&message)) {
    const absl::Time moment = absl::FromUnixSeconds(time->seconds()) +
                              absl::Nanoseconds(time->nanos());
    *json =
        absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", moment, absl::UTCTimeZone());
    return true;
  }
  if (auto* span = dynamic_cast<const google::protobuf::Duration*>(&message)) {
    *json = DoubleToJson(static_cast<double>(span->seconds()) +
                         static_cast<double>(span->nanos()) * 1e-9);
    return true;
  }
  return false;
}

JsonValue MessageToJson(const Message& message);

// One value of a field: of a singular field for index < 0.
JsonValue ValueToJson(const Message& message, const FieldDescriptor& field,
                      int index) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return JsonValue(one ? r.GetBool(message, &field)
                           : r.GetRepeatedBool(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT32:
      return JsonValue(one ? r.GetInt32(message, &field)
                           : r.GetRepeatedInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return JsonValue(one ? r.GetUInt32(message, &field)
                           : r.GetRepeatedUInt32(message, &field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return IntegerToJson(one ? r.GetInt64(message, &field)
                               : r.GetRepeatedInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return UnsignedToJson(one ? r.GetUInt64(message, &field)
                                : r.GetRepeatedUInt64(message, &field, index));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return DoubleToJson(one ? r.GetDouble(message, &field)
                              : r.GetRepeatedDouble(message, &field, index));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return DoubleToJson(one ? r.GetFloat(message, &field)
                              : r.GetRepeatedFloat(message, &field, index));
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = one ? r.GetEnumValue(message, &field)
                             : r.GetRepeatedEnumValue(message, &field, index);
      const EnumValueDescriptor* value =
          field.enum_type()->FindValueByNumber(number);
      return value == nullptr ? JsonValue(number) : JsonValue(EnumWord(*value));
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string text = one ? r.GetString(message, &field)
                             : r.GetRepeatedString(message, &field, index);
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        text = absl::Base64Escape(text);
      }
      return JsonValue(std::move(text));
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return MessageToJson(one ? r.GetMessage(message, &field)
                               : r.GetRepeatedMessage(message, &field, index));
  }
  return JsonValue();
}

std::string MapKey(const JsonValue& key) {
  return key.is_string() ? key.string_value() : CanonicalJson(key);
}

JsonValue MapToJson(const Message& message, const FieldDescriptor& field) {
  const Reflection& r = *message.GetReflection();
  JsonObject object;
  for (int i = 0; i < r.FieldSize(message, &field); ++i) {
    const Message& entry = r.GetRepeatedMessage(message, &field, i);
    const Descriptor& type = *entry.GetDescriptor();
    object.Add(MapKey(ValueToJson(entry, *type.map_key(), -1)),
               ValueToJson(entry, *type.map_value(), -1));
  }
  return object;
}

JsonValue MessageToJson(const Message& message) {
  JsonValue special;
  if (SpecialToJson(message, &special)) return special;
  const Reflection& r = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r.ListFields(message, &fields);
  JsonObject object;
  for (const FieldDescriptor* field : fields) {
    if (field->is_map()) {
      object.Add(field->json_name(), MapToJson(message, *field));
    } else if (field->is_repeated()) {
      JsonArray array;
      const int size = r.FieldSize(message, field);
      array.reserve(size);
      for (int i = 0; i < size; ++i) {
        array.push_back(ValueToJson(message, *field, i));
      }
      object.Add(field->json_name(), std::move(array));
    } else {
      object.Add(field->json_name(), ValueToJson(message, *field, -1));
    }
  }
  return object;
}

}  // namespace

std::string EnumWord(const EnumValueDescriptor& value) {
  const std::string prefix = EnumPrefix(*value.type());
  absl::string_view name = value.name();
  if (absl::StartsWith(name, prefix)) name.remove_prefix(prefix.size());
  return absl::AsciiStrToLower(name);
}

JsonValue ProtoToJson(const Message& message) { return MessageToJson(message); }

}  // namespace kinora
