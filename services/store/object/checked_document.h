// Small JSON documents that are rewritten in place (`movie.json`, records of
// runs, leases, ...) carry a checksum, as nothing else tells a flipped bit that
// makes another valid value of them.
//
// Form: one JSON object whose last member is `"crc32c"`, eight lower-case hex
// digits of the CRC-32C over all bytes that stand before `,"crc32c"`, as of log
// lines (services/store/event/log_line.h):
//
//   {"usedThrough":"2026-11-22T20:26:02.000Z","crc32c":"0a1b2c3d"}
//
// It is always written. A document without one is of a store before format
// version 3 (services/store/movie/movie_format.h), or was edited by hand, and
// is taken as it is. Damage to the member itself is noticed all the same, as
// long as its reader refuses members that it does not know: these do. So a
// document of which any one bit was flipped is refused.

#ifndef KINORA_SERVICES_STORE_OBJECT_CHECKED_DOCUMENT_H_
#define KINORA_SERVICES_STORE_OBJECT_CHECKED_DOCUMENT_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "google/protobuf/message.h"

#include "common/json/json.h"

namespace kinora {

// `json` with its checksum. REQUIRES: it is a JSON object with members and
// without white space at its end.
std::string WithChecksum(absl::string_view json);

// True if `text` ends in what WithChecksum() adds, be it the right one or not.
bool HasChecksum(absl::string_view text);

// The object that `text` was made of; `text` itself if it has no checksum.
// DATA_LOSS, saying both checksums but not where, if it is another one.
absl::StatusOr<std::string> WithoutChecksum(absl::string_view text);

// Parses what was made of CanonicalBytes(), or is that. DATA_LOSS as above, or
// INVALID_ARGUMENT as ParseDocument().
absl::Status ParseCheckedDocument(absl::string_view text,
                                  google::protobuf::Message* message);

// Parses an object with no other members than these. DATA_LOSS as above, or
// INVALID_ARGUMENT if it is none or has others.
absl::StatusOr<JsonValue> ParseCheckedJson(
    absl::string_view text, absl::Span<const absl::string_view> members);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_CHECKED_DOCUMENT_H_
