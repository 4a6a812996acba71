// Computes keys of jobs that do not depend on each other before they are judged
// one by one, on several threads: keys are most of what a plan costs.

#ifndef KINORA_SERVICES_PLANNER_PLAN_KEYS_AHEAD_H_
#define KINORA_SERVICES_PLANNER_PLAN_KEYS_AHEAD_H_

#include <vector>

#include "common/digest.h"
#include "common/threads/executor.h"
#include "services/planner/plan/job_set.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {

// Not thread-safe.
class KeysAhead {
 public:
  // At most so many jobs at a time, for the memory.
  static constexpr Graph::Job kMaxJobs = 1 << 15;

  // The state MUST outlive it; `executor` may be null, then there are no keys.
  KeysAhead(const PlanState& state, Executor* executor)
      : state_(state), executor_(executor) {}

  // Computes the keys of those jobs from `first` up to `end` that are in
  // `pending` and of which all they read is known; forgets those before.
  // REQUIRES: at most kMaxJobs of one node, none reads from another of them.
  void Compute(int node, Graph::Job first, Graph::Job end,
               const JobSet& pending);

  // Null if it was not computed.
  const Digest* Find(Graph::Job job) const {
    if (job - first_ >= keys_.size()) return nullptr;
    const Digest& key = keys_[job - first_];
    return key == Digest() ? nullptr : &key;
  }

 private:
  bool KnowsSources(int node, Graph::Job job) const;

  const PlanState& state_;
  Executor* const executor_;
  Graph::Job first_ = 0;
  std::vector<Digest> keys_;  // zero for none
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_KEYS_AHEAD_H_
