// The lines of event logs.
//
// Format (version 1, the same for all logs and archives): one JSON object a
// line, ended by '\n'. Its first member is `"seq"`, a positive decimal; its
// last is `"crc32c"`, eight lower-case hex digits of the CRC-32C over all bytes
// of the line that stand before `,"crc32c"`:
//
//   {"seq":7,"type":"run.started","runId":"run-01J...","crc32c":"0a1b2c3d"}
//
// A line is thus readable by any JSON tool and checkable by itself. The version
// is recorded in movie.json; a store refuses a version that it does not know.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_LINE_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_LINE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// INVALID_ARGUMENT for the field "bodies" unless `body` looks like what
// EventLog::Append() wants: braces around it, no line break in it, no "seq" in
// front. That it is JSON is up to the caller.
absl::Status ValidateLogBody(absl::string_view body);

// Appends the line of that record, with '\n'. REQUIRES: a valid body.
void AppendLogLine(int64_t sequence, absl::string_view body, std::string* out);

// Returns the sequence number of `line` (without '\n'). DATA_LOSS, saying what
// is wrong but not where, if the line is not what AppendLogLine() writes.
absl::StatusOr<int64_t> CheckLogLine(absl::string_view line);

// The digits of the checksum of `line`. REQUIRES: CheckLogLine() is OK.
absl::string_view LogLineCrc(absl::string_view line);

// The body that `line` was made from. REQUIRES: CheckLogLine() is OK.
std::string LogLineBody(absl::string_view line);

// As CheckLogLine(), and the number must be `expected`.
absl::Status CheckLogLineIs(int64_t expected, absl::string_view line);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_LINE_H_
