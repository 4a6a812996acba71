// Replacing an artefact by hand, and taking that back: what `kinora artefact
// set` and `kinora artefact restore` do.
//
// An edit is an event that says of its artefact what the revision says (inputs
// hash, node, producer, settings, dependencies, path), but for the value and
// for `edited_by`, which is the user. So it holds until an input of its job
// changes; what reads it is made anew by the next run, and every value before
// it is still in the log. An edit of a readable file is recorded in the same
// way (services/store/readable/readable_scan.h).

#ifndef KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_
#define KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/event.pb.h"
#include "services/store/store.h"

namespace kinora {

// Gives the new value, of the media type that the artefact has now; it may be
// inline whatever its size.
using ValueMaker =
    std::function<absl::StatusOr<v1::Content>(const std::string& mime_type)>;

// Both hold the movie's lease while they work: FAILED_PRECONDITION
// (RUN_ACTIVE) while a run does. `holder` is a name of its own for each call.
// NOT_FOUND (ARTEFACT_NOT_FOUND) unless the current revision has the artefact.
// They return the event as appended.
absl::StatusOr<v1::Event> ReplaceArtefact(const Store& store,
                                          const std::string& movie_id,
                                          const std::string& artefact_id,
                                          const std::string& holder,
                                          const ValueMaker& value);

// Brings back the value before the latest one of the same key; with `to` that
// of any succeeded event of the artefact. FAILED_PRECONDITION if there is none
// before, NOT_FOUND if there is no event `to`.
absl::StatusOr<v1::Event> RestoreArtefact(const Store& store,
                                          const std::string& movie_id,
                                          const std::string& artefact_id,
                                          const std::string& holder,
                                          std::optional<int64_t> to);

// The events of an artefact, oldest first, without those that retention has
// removed.
absl::StatusOr<std::vector<v1::Event>> ReadArtefactHistory(
    const Store& store, const std::string& movie_id,
    const std::string& artefact_id);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_ARTEFACT_EDITS_H_
