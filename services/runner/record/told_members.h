// Adds members to a run record as the store tells them: what is not told, or
// cannot be, is left out.

#ifndef KINORA_SERVICES_RUNNER_RECORD_TOLD_MEMBERS_H_
#define KINORA_SERVICES_RUNNER_RECORD_TOLD_MEMBERS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/timestamp.pb.h"

#include "common/json/json.h"

namespace kinora {

// In the form of common/rfc3339.h.
std::string TimeText(const google::protobuf::Timestamp& time);

// Milliseconds since 1970; none if that is not positive, or of no calendar.
void AddTime(JsonObject& object, absl::string_view key, int64_t ms);

// None if it is empty or not UTF-8.
void AddText(JsonObject& object, absl::string_view key, absl::string_view text);

// The object in a text of JSON; an empty one if it is none.
JsonObject ObjectIn(const std::string& text);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_TOLD_MEMBERS_H_
