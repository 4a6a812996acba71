// The part of Graph that finds which jobs are deferred.

#include <vector>

#include "services/planner/graph/element_walk.h"
#include "services/planner/graph/graph.h"

namespace kinora {

void Graph::Defer() {
  if (shape_.unknown.empty()) return;
  deferred_.assign(num_jobs(), false);
  // What each node's jobs make and read, as far as sizes in it are unknown.
  std::vector<std::vector<ElementWalk>> walks(blueprint_->nodes.size());
  for (size_t n = 0; n < walks.size(); ++n) {
    const NodeDeclaration& node = blueprint_->nodes[n];
    const auto add = [&](const PointSpace& space,
                         const std::vector<ReferenceIndex>& indices) {
      if (space.HasUnknown()) walks[n].emplace_back(space, node.over, indices);
    };
    for (int output : node.outputs) add(spaces_[output_space_[output]], {});
    for (const Binding& binding : node.bindings) {
      add(TargetSpace(binding.from), binding.from.indices);
      // How many groups there are is known apart from what is in them.
      if (binding.group >= 0) walks[n].push_back(GroupWalk(node, binding));
      if (!binding.fallback.has_value()) continue;
      add(TargetSpace(*binding.fallback), binding.fallback->indices);
    }
  }
  for (const JobRun& run : order_) {
    for (Job job = run.first; job < run.end; ++job) {
      if (!IsActive(run.node, job)) continue;
      bool deferred = !IsDecided(run.node, job) ||
                      MeetsUnknown(run.node, job, walks[run.node]);
      const size_t bindings = blueprint_->nodes[run.node].bindings.size();
      for (size_t b = 0; b < bindings && !deferred; ++b) {
        for (Element source : Sources(run.node, job, b)) {
          deferred =
              deferred || (!IsInput(source) && deferred_[MakerOf(source)]);
        }
      }
      if (!deferred) continue;
      deferred_[job] = true;
      ++num_deferred_jobs_;
    }
  }
}

bool Graph::IsDecided(int node, Job job) const {
  const size_t n = static_cast<size_t>(node);
  return n >= shape_.undecided.size() || shape_.undecided[n].empty() ||
         !shape_.undecided[n][job - job_begin_[node]];
}

bool Graph::MeetsUnknown(int node, Job job,
                         const std::vector<ElementWalk>& walks) const {
  if (walks.empty()) return false;
  const std::vector<uint32_t> point = JobPoint(node, job);
  for (const ElementWalk& walk : walks) {
    if (walk.MeetsUnknown(point)) return true;
  }
  return false;
}

}  // namespace kinora
