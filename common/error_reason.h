// The reason of a failure and the facts about it, as payloads of an
// absl::Status. They become one ErrorDetail (proto/kinora/v1/error.proto) on
// the wire; common/rpc/status.h converts. Code that has no protobuf at hand
// uses the names of that file without their prefix:
//
//   return WithReason(absl::NotFoundError("there is no movie \"film\""),
//                     "MOVIE_NOT_FOUND", {{"movie", "film"}});
//
// The message must be clear by itself; reason and metadata are for programs.

#ifndef KINORA_COMMON_ERROR_REASON_H_
#define KINORA_COMMON_ERROR_REASON_H_

#include <initializer_list>
#include <map>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kinora {

// Payload url of the reason, and the prefix of those of the metadata.
inline constexpr absl::string_view kReasonPayload = "kinora/reason";
inline constexpr absl::string_view kMetadataPayloadPrefix = "kinora/meta/";

// Returns `status` with a reason, such as "MOVIE_NOT_FOUND", and metadata.
// Replaces a reason it had, and metadata of the same keys. OK stays OK.
absl::Status WithReason(
    absl::Status status, absl::string_view reason,
    std::initializer_list<std::pair<absl::string_view, absl::string_view>>
        metadata = {});

// The reason; empty if there is none. A status made by InvalidField()
// (common/status.h) has the reason INVALID_FIELD.
std::string ReasonOf(const absl::Status& status);

// The metadata by key, with the `field` and `value` of InvalidField().
std::map<std::string, std::string> MetadataOf(const absl::Status& status);

}  // namespace kinora

#endif  // KINORA_COMMON_ERROR_REASON_H_
