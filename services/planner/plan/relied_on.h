// The blobs that a plan relies on (MadePlan.relied_on), collected while it is
// written.

#ifndef KINORA_SERVICES_PLANNER_PLAN_RELIED_ON_H_
#define KINORA_SERVICES_PLANNER_PLAN_RELIED_ON_H_

#include <cstdint>
#include <vector>

#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {

// Thread-compatible.
class ReliedOn {
 public:
  // `state` MUST outlive it.
  explicit ReliedOn(const PlanState& state) : state_(state) {}

  // Whatever is no blob is passed over.
  void Add(const v1::Content& content);
  // An artefact of the base by its number.
  void AddBase(uint32_t number);
  // What a reused job takes, from log and base.
  void AddReused(int node, Graph::Job job);
  // The inputs in effect, but for those that are staged.
  void AddInputs();
  // A job that runs now may be clean in the next plan, so all count.
  void AddAllOfBase();

  // Sorted, each once.
  std::vector<BlobName> Names() &&;

 private:
  const PlanState& state_;
  std::vector<BlobName> names_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_RELIED_ON_H_
