// Decides whether an event may enter a log.

#ifndef KINORA_SERVICES_STORE_EVENT_EVENT_VALIDATOR_H_
#define KINORA_SERVICES_STORE_EVENT_EVENT_VALIDATOR_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"

namespace kinora {

// The input that pins a movie's blueprint.
inline constexpr absl::string_view kBlueprintInputId = "Input:Blueprint";

// OK for a movie's log: a known kind, a well-formed run id exactly where there
// is one. Does not look whether the movie exists.
absl::Status ValidateLogName(const v1::LogName& log);

// INVALID_ARGUMENT naming `field` unless `id` is the id of an artefact.
absl::Status ValidateArtefactId(absl::string_view field, absl::string_view id);

// Checks one event of an append to `log`, and fills in the hash of an inline
// value where it is empty. INVALID_ARGUMENT names the field, which begins with
// `field`, such as "events[3]", unless that is empty. What is checked:
//   - sequence and time are unset, the revision is well-formed (in a ledger:
//     empty), exactly the payload is set that the log holds;
//   - ids, hashes and the sizes of values; a value's media type is set, and
//     inline bytes are not over `inline_limit`, have their hash, and are what
//     the media type says: canonical JSON or UTF-8;
//   - an artefact has an output exactly when it succeeded and a failure exactly
//     when it failed; dependencies are sorted by slot; only text and JSON have
//     a readable path, below `prompts/`.
// Whether a blob exists is not checked here.
absl::Status ValidateEvent(absl::string_view field, const v1::LogName& log,
                           int64_t inline_limit, v1::Event* event);

// The value of an input or succeeded artefact event; null for other events.
const v1::Content* ContentOf(const v1::Event& event);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_EVENT_VALIDATOR_H_
