// What to say of an artefact that a revision does not have: what it waits for
// if the movie will have it, and what may have been meant.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_UNMADE_H_
#define KINORA_SERVICES_PLANNER_HISTORY_UNMADE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "common/element_id.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/results_ahead.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/plan/deciding_values.h"

namespace kinora {

// One of the two is empty, but for what the blueprint rules out.
struct Unmade {
  // The artefact first, then what it waits for, in the bounds of Explain().
  v1::ExplainArtefactResponse explained;
  // If there is no such artefact as things stand: what decides that.
  std::vector<std::string> ruled_out_by;
};

// `ahead` is the movie as it stands: its inputs and blueprint, and what its
// current revision has, which does not have `id`. A result for a later
// revision, as of a run that failed, is made, and waits for nothing if it is of
// what its job reads now. Errors are those of the store's blobs and of `find`.
absl::StatusOr<Unmade> ExplainUnmade(const ElementId& id,
                                     const RevisionState& ahead,
                                     DecidingReader& values, FindResult find);

// `; did you mean "Image[segment=2]"?` for the artefact of `state` nearest to
// one that it does not have; empty if none is near.
absl::StatusOr<std::string> SuggestArtefact(const ElementId& id,
                                            const RevisionState& state,
                                            DecidingReader& values);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_UNMADE_H_
