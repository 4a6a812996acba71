// Keeping what an imported movie has, so that it is not paid for again.
//
// An imported artefact stands under the hash of its content: nobody knows what
// it was made from, and no job has that key. KeepResults() takes it that the
// artefacts of the current revision were made from the inputs of that revision,
// with the blueprint and the producers of now. It plans; where a planned job
// makes only artefacts that the revision has, it records them as results under
// the job's key. Then it plans again, as now the keys of what reads them are
// known. At last it commits them as a revision of its own: that one has the
// same values, and a plan finds their jobs clean until something that they are
// made from changes.
//
// Leaves of an artefact that is kept are taken out of it, as a runner does.
// What was edited by hand since it was imported is kept as it was imported, and
// its edit holds for the next run (carried_edits.h).

#ifndef KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_H_
#define KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

#include "kinora/v1/types.pb.h"
#include "services/planner/planner.h"
#include "services/store/store.h"

namespace kinora {

// An imported artefact that the next run makes anew, or drops; or whose edit by
// hand is not taken.
struct ResultNotKept {
  std::string artefact_id;
  std::string why;
};

struct KeptResults {
  std::vector<std::string> artefact_ids;  // kept, sorted
  std::vector<ResultNotKept> not_kept;    // sorted by id
  // Artefacts whose edit by hand, from before they were kept, holds on
  // (carried_edits.h); sorted.
  std::vector<std::string> edited_ids;
  // Those whose edit is none of what they are now; sorted by id.
  std::vector<ResultNotKept> edits_not_kept;
  std::string revision;  // the one that keeps them; empty if none are
};

// `producers` are those that can be reached, as they describe themselves: a key
// holds the producer's version. Does nothing for a movie that has no artefact
// without a job, but for edits that were not carried on. Repeating it ends in
// the same revision.
//
// FAILED_PRECONDITION (RUN_ACTIVE) while a run holds the movie; else errors of
// store and planner. A movie that cannot be planned yet, as one that lacks an
// input, keeps nothing and says why.
absl::StatusOr<KeptResults> KeepResults(
    const Store& store, Planner& planner, const std::string& movie_id,
    const std::vector<v1::ProducerIdentity>& producers);

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_H_
