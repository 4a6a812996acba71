// Checks what a commit is asked to build from, and turns it into the record
// that decides the commit.

#ifndef KINORA_SERVICES_STORE_MANIFEST_REVISION_SOURCE_H_
#define KINORA_SERVICES_STORE_MANIFEST_REVISION_SOURCE_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/event/event_ptr.h"

namespace kinora {

// INVALID_ARGUMENT for the first field of `source` that is malformed.
absl::Status CheckSource(const v1::RevisionSource& source);

// OK if `source` builds on the latest of `commits`. ABORTED (BASE_CHANGED) with
// the hash that is current if it builds on something else; INVALID_ARGUMENT if
// its revision or its inputs do not follow the base's.
absl::Status CheckBase(const std::vector<EventPtr>& commits,
                       const v1::RevisionSource& source);

// The record of the commit, without the new manifest's hash.
v1::RevisionCommitted RecordOf(const v1::RevisionSource& source,
                               absl::string_view base_revision);

// What `current.json` says once `commit` is carried out.
v1::ManifestPointer PointerOf(const v1::RevisionCommitted& commit);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_MANIFEST_REVISION_SOURCE_H_
