#include "services/planner/plan/keys_ahead.h"

#include <algorithm>
#include <thread>

#include "common/threads/parallel_for.h"
#include "services/planner/plan/job_keys.h"

namespace kinora {
namespace {

// What a thread takes at a time, some milliseconds of work.
constexpr Graph::Job kShare = 1 << 11;
// With fewer keys to compute nobody else would be in time.
constexpr size_t kMinPending = 1 << 9;

}  // namespace

void KeysAhead::Compute(int node, Graph::Job first, Graph::Job end,
                        const JobSet& pending) {
  first_ = first;
  keys_.clear();
  if (executor_ == nullptr || end - first <= kShare ||
      !pending.HasAtLeast(kMinPending, first, end)) {
    return;
  }
  keys_.resize(end - first);
  const int helpers =
      static_cast<int>(std::max(1U, std::thread::hardware_concurrency())) - 1;
  const size_t shares = (end - first + kShare - 1) / kShare;
  ParallelFor(*executor_, helpers, shares, [&](size_t share) {
    JobKeys keys(state_);
    const Graph::Job begin = first + static_cast<Graph::Job>(share) * kShare;
    const Graph::Job stop = std::min(end, begin + kShare);
    for (Graph::Job job = pending.Next(begin, stop); job < stop;
         job = pending.Next(job + 1, stop)) {
      if (KnowsSources(node, job)) keys_[job - first] = keys.KeyOf(node, job);
    }
  });
}

bool KeysAhead::KnowsSources(int node, Graph::Job job) const {
  const Graph& graph = state_.graph;
  if (graph.IsDeferred(job) || graph.Artefacts(node, job).empty()) {
    return false;
  }
  const size_t bindings = graph.blueprint().nodes[node].bindings.size();
  for (size_t b = 0; b < bindings; ++b) {
    for (Graph::Element source : graph.Sources(node, job, b)) {
      if (graph.IsInput(source)) {
        if (state_.InputOf(source) == nullptr) return false;
        continue;
      }
      const ArtefactOrigin origin = state_.OriginOf(source);
      if (origin != ArtefactOrigin::kBase && origin != ArtefactOrigin::kLog) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace kinora
