// Takes secrets out of texts that others wrote and we keep: log lines and
// failures of producers, which may quote a request with its credentials. Pure.

#ifndef KINORA_COMMON_TELEMETRY_REDACTION_H_
#define KINORA_COMMON_TELEMETRY_REDACTION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace kinora {

// What stands in a secret's place.
inline constexpr absl::string_view kRedacted = "[redacted]";

// Texts shorter than this are no secrets: they would be found everywhere.
inline constexpr size_t kShortestSecret = 6;

// `text` without `secrets` and without what is a secret by its form:
//
//   Authorization: Bearer XYZ    also Basic; a bearer token anywhere
//   api_key=XYZ, "apiKey": "XYZ" also password, secret, access token and the
//                                like, in any spelling of case, `-` and `_`
//   sk-XYZ, AKIAXYZ, ghp_XYZ     keys that can be told by how they begin
//
// Only XYZ is replaced. Valid JSON stays valid where its secrets are strings.
std::string Redact(absl::string_view text,
                   const std::vector<std::string>& secrets);

}  // namespace kinora

#endif  // KINORA_COMMON_TELEMETRY_REDACTION_H_
