// Explains why an artefact has the value it has: which components of its key
// differ from those of the value before, and the same for what it reads, back
// to inputs, producers and settings. A function of two revisions and of the
// events that a ResultHistory finds.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_EXPLANATION_H_
#define KINORA_SERVICES_PLANNER_HISTORY_EXPLANATION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "kinora/v1/event.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/planner/history/revision_state.h"
#include "services/planner/plan/deciding_values.h"

namespace kinora {

// A chain is for a person to read.
inline constexpr size_t kMaxCauses = 200;
inline constexpr uint32_t kMaxCauseDepth = 64;

// Asks for the event that gave something its value in a revision.
struct ValueQuery {
  std::string id;           // an artefact or an input
  std::string inputs_hash;  // of an artefact, as the manifest says
  std::string hash;         // of the value
  std::string revision;     // the event is meant for this one or an older one
};

// Finds events in the logs of a movie.
class ResultHistory {
 public:
  virtual ~ResultHistory() = default;

  // The last event that fits each query; nullopt if the logs have none, or no
  // longer. Errors are those of the logs.
  virtual absl::StatusOr<std::vector<std::optional<v1::Event>>> Find(
      absl::Span<const ValueQuery> queries) = 0;
};

// Why `artefact_id` is in `now` as it is, seen from `before`, which may be the
// time before the first revision. Each thing appears once, so cycles cannot
// be; at most kMaxCauses and kMaxCauseDepth deep, notes say what is missing.
// `values` reads what decided that something is there. REQUIRES: `now` has the
// artefact or `before` has.
absl::StatusOr<v1::ExplainArtefactResponse> Explain(
    const std::string& artefact_id, const RevisionState& before,
    const RevisionState& now, ResultHistory& history, DecidingReader& values);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_EXPLANATION_H_
