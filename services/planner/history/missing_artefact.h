// A MissingArtefact tells why a revision does not have an artefact: what it
// waits for, or that nothing makes it, and where it is instead.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_MISSING_ARTEFACT_H_
#define KINORA_SERVICES_PLANNER_HISTORY_MISSING_ARTEFACT_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/element_id.h"
#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/revision_reader.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/movie_reader.h"
#include "services/store/store.h"

namespace kinora {

class MissingArtefact {
 public:
  // All MUST outlive this.
  MissingArtefact(const Store& store, MovieReader& movies,
                  RevisionReader& reader, const std::string& movie_id,
                  const ElementId& id)
      : store_(store),
        movies_(movies),
        reader_(reader),
        movie_id_(movie_id),
        id_(id),
        text_(id.ToString()) {}

  // The answer for an artefact that `state` does not have, which may be the
  // time before the first revision: what it waits for, or ARTEFACT_NOT_FOUND
  // saying where it is. Only what is `current` is gone on from.
  absl::StatusOr<v1::ExplainArtefactResponse> Explain(
      const RevisionState& state, bool current);

 private:
  // Notes of what is not made, though nothing keeps it from being made, that
  // its latest attempt failed.
  absl::Status NoteFailures(v1::ExplainArtefactResponse* explained);
  // The event of the latest result of an artefact, be it in a revision or not;
  // nullopt if there is none.
  absl::StatusOr<std::optional<v1::Event>> LatestResult(
      const std::string& artefact_id);
  // In words, what other revision than `asked` has the artefact; empty if that
  // is not known. It is the one that its latest result was made for, as finding
  // out all of them would read every manifest.
  absl::StatusOr<std::string> WhereElse(const std::string& asked);

  const Store& store_;
  MovieReader& movies_;
  RevisionReader& reader_;
  const std::string& movie_id_;
  const ElementId& id_;
  const std::string text_;  // of `id_`
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_MISSING_ARTEFACT_H_
