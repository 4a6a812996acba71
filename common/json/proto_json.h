// The one JSON form of every Kinora message: files, `--json` and the gateway.
//
// Member names are camelCase and fields that hold their default are left out.
// Numbers are plain numbers, also 64-bit ones (beyond 2^53, where a double is
// not exact, decimal text). Enums are the value's name in lower case without
// the enum's prefix (`JOB_NEED_MUST_RUN` is "must_run"). A Timestamp is
// RFC 3339 text in UTC, a Duration a number of seconds, bytes are base64.
//
// Two messages have shorter forms, as they fill manifests and logs:
//   BlobRef      {"hash","size","mimeType"}
//   InlineValue  {"hash","mimeType"} and one of "json" (canonical JSON),
//                "text" (UTF-8) or "base64": the first that gives back exactly
//                the same bytes.

#ifndef KINORA_COMMON_JSON_PROTO_JSON_H_
#define KINORA_COMMON_JSON_PROTO_JSON_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

#include "common/json/json.h"

namespace kinora {

// Never fails. Unknown fields of `message` are not written.
JsonValue ProtoToJson(const google::protobuf::Message& message);

// Fills `message`, which is cleared first. Members may be spelled camelCase or
// as in the .proto file; null means that the member is absent.
// INVALID_ARGUMENT names the member by its path (`server.listen`) and the
// value: unknown member, member given twice, wrong type, number out of range,
// two members of one oneof.
absl::Status JsonToProto(const JsonValue& json,
                         google::protobuf::Message* message);

// The word of an enum value: "must_run" for JOB_NEED_MUST_RUN.
std::string EnumWord(const google::protobuf::EnumValueDescriptor& value);

// The canonical JSON (RFC 8785) of ProtoToJson(): equal messages give equal
// bytes. The stored form of manifests and plans.
std::string CanonicalBytes(const google::protobuf::Message& message);

// Parses JSON text into `message`; errors of ParseJson() and JsonToProto().
absl::Status ParseDocument(absl::string_view json,
                           google::protobuf::Message* message);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_PROTO_JSON_H_
