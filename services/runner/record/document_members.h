// Reads and sets members of a run record. A member that is missing, null or of
// another type is none.

#ifndef KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_MEMBERS_H_
#define KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_MEMBERS_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

#include "common/clock.h"
#include "common/ids.h"
#include "common/json/json.h"
#include "services/runner/ledger/json_members.h"

namespace kinora {

// The text, or "" if there is none. Valid as long as `object`.
absl::string_view TextOrEmpty(const JsonValue& object, absl::string_view key);

// The elements of an array; none if there is no such array.
absl::Span<const JsonValue> ElementsOf(const JsonValue& object,
                                       absl::string_view key);

// The array of that name, made if there is none: what is of another type is
// replaced. REQUIRES: `object` is an object. Valid until it changes.
JsonArray& ArrayIn(JsonValue& object, absl::string_view key);

// How `text` begins: at most `count` characters of it.
absl::string_view FirstCharacters(absl::string_view text, size_t count);

// Sets the member unless `value` is none.
void SetIfAny(JsonObject& object, absl::string_view key,
              const JsonValue* value);

// `<prefix>-` and a ULID.
std::string NewDocumentId(absl::string_view prefix, RunIdGenerator& ids);

// The time now, in the form of common/rfc3339.h.
std::string NowText(Clock& clock);

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_RECORD_DOCUMENT_MEMBERS_H_
