// How the types of messages are written in canonical JSON, found out once per
// thread: with 100,000 artefacts to write or read, what reflection asks of the
// descriptors each time is most of the time.

#ifndef KINORA_COMMON_JSON_PROTO_JSON_FORM_H_
#define KINORA_COMMON_JSON_PROTO_JSON_FORM_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "google/protobuf/descriptor.h"

namespace kinora {

struct MessageForm {
  // Those with a form of their own, see proto_json.h; kOther are a Timestamp
  // and a Duration.
  enum class Kind { kFields, kInlineValue, kBlobRef, kOther };

  Kind kind = Kind::kFields;
  // In the order of their members' names, which are ASCII.
  std::vector<const google::protobuf::FieldDescriptor*> fields;
};

struct EnumForm {
  absl::flat_hash_map<int, std::string> words;
  absl::flat_hash_map<std::string, int> numbers;
};

// Both live as long as the thread.
const MessageForm& FormOf(const google::protobuf::Descriptor& type);
const EnumForm& FormOf(const google::protobuf::EnumDescriptor& type);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_PROTO_JSON_FORM_H_
