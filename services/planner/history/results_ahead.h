// ResultsAhead tells what is made of artefacts that no revision has yet:
// results in the log for a revision after the current one, as a run leaves that
// failed.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_RESULTS_AHEAD_H_
#define KINORA_SERVICES_PLANNER_HISTORY_RESULTS_AHEAD_H_

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"

#include "kinora/v1/event.pb.h"
#include "services/planner/history/element_places.h"
#include "services/planner/history/revision_state.h"

namespace kinora {

// Finds the event of the latest result of an artefact in the log; nullopt if
// there is none.
using FindResult = absl::FunctionRef<absl::StatusOr<std::optional<v1::Event>>(
    const std::string& artefact_id)>;

// Each artefact is looked for once.
class ResultsAhead {
 public:
  // `ahead` is the movie as it stands: its inputs and blueprint, and what its
  // current revision has; `places` goes by it. Both, and what `find` refers to,
  // MUST outlive it.
  ResultsAhead(const RevisionState& ahead, ElementPlaces& places,
               FindResult find)
      : ahead_(ahead), places_(places), find_(find) {}

  struct Result {
    bool is_made = false;
    // The next run takes it over, if its producer has the version still that
    // made it: its job reads the same now, as far as that was looked for, and
    // has the same key. Never set of what is not made.
    bool is_as_now = false;
    std::string hash;  // of the value
  };

  // The error of `find`, if there is one.
  absl::StatusOr<Result> Of(const std::string& artefact_id);

 private:
  // Whether the event is for a revision after the current one.
  bool IsAhead(const v1::Event& event) const;
  absl::StatusOr<bool> IsAsNow(const v1::ArtefactEvent& attempt);

  const RevisionState& ahead_;
  ElementPlaces& places_;
  const FindResult find_;
  absl::flat_hash_map<std::string, Result> found_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_RESULTS_AHEAD_H_
