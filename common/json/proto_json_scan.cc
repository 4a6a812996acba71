#include "common/json/proto_json_scan.h"

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "google/protobuf/descriptor.h"

#include "common/json/json.h"
#include "common/json/json_scanner.h"
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

// Our own documents nest a few messages deep. What nests deeper than this is
// left to the parser, which says where it is too deep: each message takes some
// of the stack.
constexpr int kMaxDepth = 50;

class MessageScanner : public JsonScanner {
 public:
  using JsonScanner::JsonScanner;

  bool Enter() { return ++depth_ <= kMaxDepth; }
  void Leave() { --depth_; }

 private:
  int depth_ = 0;
};

// std::from_chars() takes leading zeros, which JSON has not.
bool ScanInteger(JsonScanner& json, int64_t* value) {
  const absl::string_view rest = json.Rest();
  const size_t digits = absl::StartsWith(rest, "-") ? 1 : 0;
  if (rest.size() > digits + 1 && rest[digits] == '0' &&
      absl::ascii_isdigit(static_cast<unsigned char>(rest[digits + 1]))) {
    return false;
  }
  return json.Integer(value);
}

template <typename T>
bool ScanNumber(JsonScanner& json, T* value) {
  int64_t integer = 0;
  if (!ScanInteger(json, &integer) || !std::in_range<T>(integer)) return false;
  *value = static_cast<T>(integer);
  return true;
}

bool ScanBool(JsonScanner& json, bool* value) {
  *value = json.Take("true");
  return *value || json.Take("false");
}

bool ScanDouble(JsonScanner& json, double* value) {
  absl::string_view raw;
  if (!json.RawValue(&raw)) return false;
  const absl::StatusOr<JsonValue> parsed = ParseJson(raw);
  if (!parsed.ok() || !parsed->is_number()) return false;
  *value = parsed->number_value();
  return true;
}

bool ScanText(JsonScanner& json, bool is_base64, std::string* value) {
  if (!is_base64) return json.Text(value);
  std::string text;
  return json.Text(&text) && absl::Base64Unescape(text, value);
}

// Calls `take(key)` for each member of an object, which stands at its value.
template <typename Take>
bool ScanMembers(JsonScanner& json, Take take) {
  if (!json.Take('{')) return false;
  if (json.Take('}')) return true;
  std::string key;
  do {
    if (!json.Text(&key) || !json.Take(':') || !take(key)) return false;
  } while (json.Take(','));
  return json.Take('}');
}

bool ScanInline(JsonScanner& json, v1::InlineValue* value) {
  int bodies = 0;
  std::string previous;
  const bool whole = ScanMembers(json, [&](const std::string& key) {
    if (key <= previous) return false;
    previous = key;
    if (key == "hash") return json.Text(value->mutable_hash());
    if (key == "mimeType") return json.Text(value->mutable_mime_type());
    ++bodies;
    if (key == "json") return json.CanonicalValue(value->mutable_data());
    if (key == "text") return json.Text(value->mutable_data());
    return key == "base64" && ScanText(json, true, value->mutable_data());
  });
  return whole && bodies == 1;
}

bool ScanBlobRef(JsonScanner& json, v1::BlobRef* blob) {
  std::string previous;
  return ScanMembers(json, [&](const std::string& key) {
    if (key <= previous) return false;
    previous = key;
    if (key == "hash") return json.Text(blob->mutable_digest()->mutable_hash());
    if (key == "mimeType") return json.Text(blob->mutable_mime_type());
    int64_t size = 0;
    if (key != "size" || !ScanInteger(json, &size)) return false;
    blob->mutable_digest()->set_size_bytes(size);
    return true;
  });
}

bool ScanMessage(MessageScanner& json, Message* message);

// Sets a singular field, or adds to a repeated one.
bool ScanValue(MessageScanner& json, const FieldDescriptor& field,
               Message* message) {
  const Reflection& r = *message->GetReflection();
  const bool add = field.is_repeated();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL: {
      bool value = false;
      if (!ScanBool(json, &value)) return false;
      add ? r.AddBool(message, &field, value)
          : r.SetBool(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      if (!ScanNumber(json, &value)) return false;
      add ? r.AddInt32(message, &field, value)
          : r.SetInt32(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      uint32_t value = 0;
      if (!ScanNumber(json, &value)) return false;
      add ? r.AddUInt32(message, &field, value)
          : r.SetUInt32(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t value = 0;
      if (!ScanNumber(json, &value)) return false;
      add ? r.AddInt64(message, &field, value)
          : r.SetInt64(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      uint64_t value = 0;
      if (!ScanNumber(json, &value)) return false;
      add ? r.AddUInt64(message, &field, value)
          : r.SetUInt64(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      double value = 0;
      if (!ScanDouble(json, &value)) return false;
      add ? r.AddDouble(message, &field, value)
          : r.SetDouble(message, &field, value);
      return true;
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
      return false;
    case FieldDescriptor::CPPTYPE_ENUM: {
      std::string word;
      if (!json.Text(&word)) return false;
      const EnumForm& form = FormOf(*field.enum_type());
      const auto number = form.numbers.find(word);
      if (number == form.numbers.end()) return false;
      add ? r.AddEnumValue(message, &field, number->second)
          : r.SetEnumValue(message, &field, number->second);
      return true;
    }
    case FieldDescriptor::CPPTYPE_STRING: {
      std::string value;
      if (!ScanText(json, field.type() == FieldDescriptor::TYPE_BYTES,
                    &value)) {
        return false;
      }
      add ? r.AddString(message, &field, std::move(value))
          : r.SetString(message, &field, std::move(value));
      return true;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return ScanMessage(json, add ? r.AddMessage(message, &field)
                                   : r.MutableMessage(message, &field));
  }
  return false;
}

bool ScanMap(MessageScanner& json, const FieldDescriptor& field,
             Message* message) {
  const Reflection& r = *message->GetReflection();
  const Descriptor& type = *field.message_type();
  if (type.map_key()->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return false;
  }
  bool first = true;
  std::string previous;
  return ScanMembers(json, [&](const std::string& key) {
    // None twice.
    if (!first && !Utf16Less(previous, key)) return false;
    first = false;
    previous = key;
    Message* entry = r.AddMessage(message, &field);
    entry->GetReflection()->SetString(entry, type.map_key(), key);
    return ScanValue(json, *type.map_value(), entry);
  });
}

bool ScanArray(MessageScanner& json, const FieldDescriptor& field,
               Message* message) {
  if (!json.Take('[')) return false;
  if (json.Take(']')) return true;
  do {
    if (!ScanValue(json, field, message)) return false;
  } while (json.Take(','));
  return json.Take(']');
}

bool ScanFields(MessageScanner& json, const MessageForm& form,
                Message* message) {
  const Reflection& r = *message->GetReflection();
  size_t next = 0;
  return ScanMembers(json, [&](const std::string& key) {
    while (next < form.fields.size() && form.fields[next]->json_name() < key) {
      ++next;
    }
    if (next == form.fields.size()) return false;
    const FieldDescriptor& field = *form.fields[next++];
    if (field.json_name() != key) return false;
    if (field.is_map()) return ScanMap(json, field, message);
    if (field.is_repeated()) return ScanArray(json, field, message);
    const auto* oneof = field.real_containing_oneof();
    if (oneof != nullptr && r.HasOneof(*message, oneof)) return false;
    return ScanValue(json, field, message);
  });
}

bool ScanForm(MessageScanner& json, Message* message) {
  const MessageForm& form = FormOf(*message->GetDescriptor());
  switch (form.kind) {
    case MessageForm::Kind::kInlineValue:
      return ScanInline(json, static_cast<v1::InlineValue*>(message));
    case MessageForm::Kind::kBlobRef:
      return ScanBlobRef(json, static_cast<v1::BlobRef*>(message));
    case MessageForm::Kind::kOther: {
      absl::string_view raw;
      if (!json.RawValue(&raw)) return false;
      const absl::StatusOr<JsonValue> value = ParseJson(raw);
      return value.ok() && JsonToProto(*value, message).ok();
    }
    case MessageForm::Kind::kFields:
      return ScanFields(json, form, message);
  }
  return false;
}

bool ScanMessage(MessageScanner& json, Message* message) {
  if (!json.Enter() || !ScanForm(json, message)) return false;
  json.Leave();
  return true;
}

}  // namespace

bool ScanCanonical(absl::string_view json, Message* message) {
  MessageScanner scanner(json);
  return ScanMessage(scanner, message) && scanner.AtEnd();
}

}  // namespace kinora
