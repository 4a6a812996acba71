// The keys of jobs in a plan in the making: their inputs hashes, from the
// values that all they read have there (common/inputs_hash.h).

#ifndef KINORA_SERVICES_PLANNER_PLAN_JOB_KEYS_H_
#define KINORA_SERVICES_PLANNER_PLAN_JOB_KEYS_H_

#include <cstdint>
#include <string>

#include "common/inputs_hash.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {

// Not thread-safe: reuses its buffers, since a plan may need a million keys.
class JobKeys {
 public:
  // The state MUST outlive it.
  explicit JobKeys(const PlanState& state)
      : state_(state), graph_(state.graph) {}

  // REQUIRES: all that the job reads is known.
  Digest KeyOf(int node, Graph::Job job) {
    return KeyOfDraw(node, job, state_.DrawOf(job));
  }
  // The same if it were another take.
  Digest KeyOfDraw(int node, Graph::Job job, uint32_t draw);

 private:
  void AddArtefacts(absl::Span<const Graph::Element> artefacts);

  const PlanState& state_;
  const Graph& graph_;
  InputsHasher hasher_;
  std::string text_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_JOB_KEYS_H_
