// A ResultIndex knows the results that a movie's artefact log holds. The pure
// planner asks it what can be reused.

#ifndef KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_
#define KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

#include "common/digest.h"
#include "kinora/v1/types.pb.h"

namespace kinora {

// A succeeded attempt.
struct LoggedResult {
  // The event that records the work; for a reuse, the event it reuses.
  int64_t sequence = 0;
  v1::Content content;
};

// What is known of all attempts at one artefact.
struct AttemptHistory {
  bool succeeded_once = false;
  bool latest_failed = false;
  Digest latest_inputs_hash;
};

// Const methods are safe from several threads at once.
class ResultIndex {
 public:
  virtual ~ResultIndex() = default;

  // The latest succeeded attempt with that signature; null if there is none.
  // Valid until the index changes.
  virtual const LoggedResult* Find(absl::string_view artefact_id,
                                   const Digest& inputs_hash) const = 0;

  // Null if the artefact was never attempted. Valid until the index changes.
  virtual const AttemptHistory* History(
      absl::string_view artefact_id) const = 0;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_RESULT_INDEX_H_
