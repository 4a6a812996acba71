// Edits by hand of imported artefacts that came to be kept only later.
//
// An artefact that an import could not keep at first, as its producer was away,
// may be edited meanwhile. Such an edit stands under the key that the import
// gave the artefact, the hash of its content. The import that keeps it gives it
// the key of its job, under which nobody would find the edit: so the edit is
// said again under that key, for the next run.

#ifndef KINORA_CLIENTS_CPP_IMPORT_CARRIED_EDITS_H_
#define KINORA_CLIENTS_CPP_IMPORT_CARRIED_EDITS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "services/planner/planner.h"
#include "services/store/store.h"

namespace kinora {

struct CarriedEdits {
  std::vector<std::string> artefact_ids;  // carried, sorted
  // Those that cannot be, sorted, with the reason: a document without its
  // leaves.
  std::vector<std::pair<std::string, absl::Status>> refused;
};

// Carries the edits of all artefacts of the current revision that have the
// value, and the event, that an import gave them: whoever edited one since, or
// took an edit back, is not overruled. So repeating it carries nothing more,
// and what was cut short is made up for. Leaves follow their document.
//
// FAILED_PRECONDITION (RUN_ACTIVE) while a run holds the movie and there is
// something to carry; else errors of store and planner.
absl::StatusOr<CarriedEdits> CarryEdits(const Store& store, Planner& planner,
                                        const std::string& movie_id);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_CARRIED_EDITS_H_
