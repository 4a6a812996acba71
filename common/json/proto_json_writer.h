// Writes the canonical JSON of messages straight from their fields, without a
// tree in between: manifests have 100,000 artefacts.

#ifndef KINORA_COMMON_JSON_PROTO_JSON_WRITER_H_
#define KINORA_COMMON_JSON_PROTO_JSON_WRITER_H_

#include "google/protobuf/message.h"

#include "common/json/json_writer.h"

namespace kinora {

// Appends what CanonicalBytes() gives for `message` as one value of `json`.
void WriteCanonical(const google::protobuf::Message& message, JsonWriter* json);

}  // namespace kinora

#endif  // KINORA_COMMON_JSON_PROTO_JSON_WRITER_H_
