// Parts of a plan that hold together as plans of their own: a few jobs, what
// they are made from, or what the plan reuses. So whoever carries out a plan
// carries out a step of it in the same way.

#ifndef KINORA_SERVICES_RUNNER_STEPS_PLAN_PARTS_H_
#define KINORA_SERVICES_RUNNER_STEPS_PLAN_PARTS_H_

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

#include "kinora/v1/plan.pb.h"

namespace kinora {

// Immutable.
class PlanParts {
 public:
  using Jobs = std::vector<const v1::PlannedJob*>;

  explicit PlanParts(std::shared_ptr<const v1::Plan> plan);

  const v1::Plan& plan() const { return *plan_; }

  // Null if no layer has it. One that the plan reuses is in no layer.
  const v1::PlannedJob* Find(absl::string_view job_id) const;
  bool IsReused(absl::string_view job_id) const;

  // What the plan reuses, without a job.
  std::shared_ptr<const v1::Plan> Reuse() const;

  // All jobs of the plan that `jobs` are made from, directly or not, in their
  // layers.
  std::shared_ptr<const v1::Plan> Upstream(const Jobs& jobs) const;

  // Artefacts that other jobs of the plan make and this one reads, in order.
  std::vector<std::string> MadeInputs(const v1::PlannedJob& job) const;

  // `jobs` in one layer. REQUIRES: they are of one layer of the plan, and
  // `made` has the MadeInputs() of all of them.
  std::shared_ptr<const v1::Plan> Alone(
      const Jobs& jobs, const std::map<std::string, v1::Content>& made) const;

 private:
  struct Place {
    int layer = 0;
    const v1::PlannedJob* job = nullptr;
  };

  v1::Plan Empty() const;
  // Adds the jobs' nodes and the values that they read and the plan gives.
  void AddWhatTheyNeed(const Jobs& jobs, v1::Plan* part) const;

  const std::shared_ptr<const v1::Plan> plan_;
  absl::flat_hash_map<std::string, const v1::PlannedNode*> nodes_;
  absl::flat_hash_map<std::string, Place> jobs_;    // by id
  absl::flat_hash_map<std::string, Place> makers_;  // by artefact
  absl::flat_hash_map<std::string, const v1::Content*> values_;
  absl::flat_hash_map<std::string, const v1::ReusedJob*> reused_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_RUNNER_STEPS_PLAN_PARTS_H_
