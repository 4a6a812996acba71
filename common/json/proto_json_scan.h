// Reads canonical JSON straight into a message, without a tree in between.

#ifndef KINORA_COMMON_JSON_PROTO_JSON_SCAN_H_
#define KINORA_COMMON_JSON_PROTO_JSON_SCAN_H_

#include "absl/strings/string_view.h"
#include "google/protobuf/message.h"

namespace kinora {

// True, and `message` is what JsonToProto() gives for `json`, if that is of the
// form that CanonicalBytes() writes. Else false, which says nothing about the
// text, and `message` holds anything. REQUIRES: `message` is empty.
bool ScanCanonical(absl::string_view json, google::protobuf::Message* message);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_PROTO_JSON_SCAN_H_
