#include "services/planner/plan/expand_plan.h"

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"

namespace kinora {

v1::ExpandDeferredGroupResponse ExpansionOf(const v1::Plan& saved,
                                            v1::Plan now) {
  absl::flat_hash_set<std::string> jobs;
  absl::flat_hash_set<std::string> inputs;
  for (const v1::PlanLayer& layer : saved.layers()) {
    for (const v1::PlannedJob& job : layer.jobs()) jobs.insert(job.job_id());
  }
  for (const v1::ReusedJob& job : saved.reused()) jobs.insert(job.job_id());
  for (const v1::PlannedInput& input : saved.inputs()) {
    inputs.insert(input.input_id());
  }

  v1::ExpandDeferredGroupResponse expansion;
  absl::flat_hash_set<std::string> nodes;
  absl::flat_hash_set<std::string> read;
  for (v1::PlanLayer& layer : *now.mutable_layers()) {
    v1::PlanLayer further;
    for (v1::PlannedJob& job : *layer.mutable_jobs()) {
      if (jobs.contains(job.job_id())) continue;
      nodes.insert(job.node());
      for (const v1::PlannedBinding& binding : job.bindings()) {
        read.insert(binding.source_ids().begin(), binding.source_ids().end());
      }
      *further.add_jobs() = std::move(job);
    }
    if (further.jobs_size() > 0) *expansion.add_layers() = std::move(further);
  }
  for (v1::ReusedJob& job : *now.mutable_reused()) {
    if (jobs.contains(job.job_id())) continue;
    nodes.insert(job.node());
    *expansion.add_reused() = std::move(job);
  }
  for (v1::PlannedNode& node : *now.mutable_nodes()) {
    if (nodes.contains(node.node())) {
      *expansion.add_nodes() = std::move(node);
    }
  }
  for (v1::PlannedInput& input : *now.mutable_inputs()) {
    if (inputs.contains(input.input_id())) continue;
    *expansion.add_inputs() = std::move(input);
  }
  for (v1::PlannedSource& source : *now.mutable_sources()) {
    if (read.contains(source.artefact_id())) {
      *expansion.add_sources() = std::move(source);
    }
  }
  *expansion.mutable_deferred() = std::move(*now.mutable_deferred());
  *expansion.mutable_removed_artefact_ids() =
      std::move(*now.mutable_removed_artefact_ids());
  *expansion.mutable_summary() = std::move(*now.mutable_summary());
  return expansion;
}

}  // namespace kinora
