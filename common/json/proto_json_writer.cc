#include "common/json/proto_json_writer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"

#include "common/json/canonical_json.h"
#include "common/json/json.h"
#include "common/json/proto_json.h"
#include "common/json/proto_json_form.h"
#include "common/utf8.h"
#include "kinora/v1/types.pb.h"

namespace kinora {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

void WriteInteger(int64_t value, JsonWriter* json) {
  if (value > kMaxJsonInteger || value < -kMaxJsonInteger) {
    json->String(absl::StrCat(value));
  } else {
    json->Int(value);
  }
}

void WriteUnsigned(uint64_t value, JsonWriter* json) {
  if (value > static_cast<uint64_t>(kMaxJsonInteger)) {
    json->String(absl::StrCat(value));
  } else {
    json->Uint(value);
  }
}

// Members in the order of their keys: base64, hash, json, mimeType, text.
void WriteInline(const v1::InlineValue& value, JsonWriter* json) {
  const bool is_json =
      value.mime_type() == "application/json" && IsCanonicalJson(value.data());
  const bool is_text = !is_json && IsValidUtf8(value.data());
  json->BeginObject();
  if (!is_json && !is_text) {
    json->Key("base64").String(absl::Base64Escape(value.data()));
  }
  if (!value.hash().empty()) json->Key("hash").String(value.hash());
  if (is_json) json->Key("json").Raw(value.data());
  if (!value.mime_type().empty()) {
    json->Key("mimeType").String(value.mime_type());
  }
  if (is_text) json->Key("text").String(value.data());
  json->EndObject();
}

void WriteBlobRef(const v1::BlobRef& blob, JsonWriter* json) {
  json->BeginObject();
  json->Key("hash").String(blob.digest().hash());
  if (!blob.mime_type().empty()) json->Key("mimeType").String(blob.mime_type());
  json->Key("size");
  WriteInteger(blob.digest().size_bytes(), json);
  json->EndObject();
}

// One value of a field: of a singular field for index < 0.
void WriteValue(const Message& message, const FieldDescriptor& field, int index,
                JsonWriter* json) {
  const Reflection& r = *message.GetReflection();
  const bool one = index < 0;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      json->Bool(one ? r.GetBool(message, &field)
                     : r.GetRepeatedBool(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      json->Int(one ? r.GetInt32(message, &field)
                    : r.GetRepeatedInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_UINT32:
      json->Uint(one ? r.GetUInt32(message, &field)
                     : r.GetRepeatedUInt32(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_INT64:
      WriteInteger(one ? r.GetInt64(message, &field)
                       : r.GetRepeatedInt64(message, &field, index),
                   json);
      return;
    case FieldDescriptor::CPPTYPE_UINT64:
      WriteUnsigned(one ? r.GetUInt64(message, &field)
                        : r.GetRepeatedUInt64(message, &field, index),
                    json);
      return;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      json->Double(one ? r.GetDouble(message, &field)
                       : r.GetRepeatedDouble(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_FLOAT:
      json->Double(one ? r.GetFloat(message, &field)
                       : r.GetRepeatedFloat(message, &field, index));
      return;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = one ? r.GetEnumValue(message, &field)
                             : r.GetRepeatedEnumValue(message, &field, index);
      const EnumForm& form = FormOf(*field.enum_type());
      const auto word = form.words.find(number);
      if (word == form.words.end()) {
        json->Int(number);
      } else {
        json->String(word->second);
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string scratch;
      const std::string& text =
          one ? r.GetStringReference(message, &field, &scratch)
              : r.GetRepeatedStringReference(message, &field, index, &scratch);
      if (field.type() == FieldDescriptor::TYPE_BYTES) {
        json->String(absl::Base64Escape(text));
      } else {
        json->String(text);
      }
      return;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      WriteCanonical(one ? r.GetMessage(message, &field)
                         : r.GetRepeatedMessage(message, &field, index),
                     json);
      return;
  }
}

std::string MapKey(const Message& entry, const FieldDescriptor& key) {
  const Reflection& r = *entry.GetReflection();
  if (key.cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
    return r.GetString(entry, &key);
  }
  std::string text;
  JsonWriter json(&text);
  WriteValue(entry, key, -1, &json);
  return text;
}

void WriteMap(const Message& message, const FieldDescriptor& field,
              JsonWriter* json) {
  const Reflection& r = *message.GetReflection();
  const Descriptor& type = *field.message_type();
  const int size = r.FieldSize(message, &field);
  std::vector<std::pair<std::string, const Message*>> entries;
  entries.reserve(static_cast<size_t>(size));
  for (int i = 0; i < size; ++i) {
    const Message& entry = r.GetRepeatedMessage(message, &field, i);
    entries.emplace_back(MapKey(entry, *type.map_key()), &entry);
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return Utf16Less(a.first, b.first);
  });
  json->BeginObject();
  for (const auto& entry : entries) {
    json->Key(entry.first);
    WriteValue(*entry.second, *type.map_value(), -1, json);
  }
  json->EndObject();
}

void WriteField(const Message& message, const FieldDescriptor& field,
                JsonWriter* json) {
  const Reflection& r = *message.GetReflection();
  if (!field.is_repeated()) {
    if (!r.HasField(message, &field)) return;
    json->Key(field.json_name());
    WriteValue(message, field, -1, json);
    return;
  }
  const int size = r.FieldSize(message, &field);
  if (size == 0) return;
  json->Key(field.json_name());
  if (field.is_map()) return WriteMap(message, field, json);
  json->BeginArray();
  for (int i = 0; i < size; ++i) WriteValue(message, field, i, json);
  json->EndArray();
}

}  // namespace

void WriteCanonical(const Message& message, JsonWriter* json) {
  const MessageForm& form = FormOf(*message.GetDescriptor());
  switch (form.kind) {
    case MessageForm::Kind::kInlineValue:
      return WriteInline(static_cast<const v1::InlineValue&>(message), json);
    case MessageForm::Kind::kBlobRef:
      return WriteBlobRef(static_cast<const v1::BlobRef&>(message), json);
    case MessageForm::Kind::kOther:
      json->Value(ProtoToJson(message));
      return;
    case MessageForm::Kind::kFields:
      break;
  }
  json->BeginObject();
  for (const FieldDescriptor* field : form.fields) {
    WriteField(message, *field, json);
  }
  json->EndObject();
}

std::string CanonicalBytes(const Message& message) {
  std::string bytes;
  JsonWriter json(&bytes);
  WriteCanonical(message, &json);
  return bytes;
}

}  // namespace kinora
