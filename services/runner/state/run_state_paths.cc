// The part of RunState that measures how long it is from each job to the end of
// the run, which decides whose turn comes first.

#include <algorithm>

#include "services/runner/state/run_state.h"

namespace kinora {
namespace {

// The first calls of a run say little.
constexpr size_t kFirstCalls = 16;
// Paths are measured anew when calls have doubled, from a 64th of the jobs on:
// seven times or so, whatever their number, and a job's share is constant.
constexpr size_t kFirstShare = 64;

// None takes no time, or a chain of such jobs would count as no more than its
// end; none takes so long that a sum could overflow.
int64_t WeightOf(absl::Duration likely) {
  return std::clamp<int64_t>(absl::ToInt64Microseconds(likely), 1,
                             absl::ToInt64Microseconds(absl::Hours(24 * 30)));
}

}  // namespace

void RunState::MeasurePaths() {
  const absl::Duration typical = durations_.Typical();
  absl::flat_hash_map<const v1::PlannedNode*, int64_t> weights;
  for (const auto& node : nodes_) {
    weights[node.second] = WeightOf(
        durations_.Of(node.second->producer().name()).value_or(typical));
  }
  // Dependants come later, so one pass from the end sees them first.
  for (size_t i = jobs_.size(); i-- > 0;) {
    Job& job = jobs_[i];
    int64_t path = 0;
    for (JobIndex dependant : job.dependants) {
      path = std::max(path, Entry(dependant).remaining_path);
    }
    path += weights[job.node];
    if (path == job.remaining_path) continue;
    const DispatchQueue::Turn before = TurnOf(static_cast<JobIndex>(i));
    job.remaining_path = path;
    // One that waits for its turn already has another now.
    if (job.status == JobStatus::kReady) {
      queue_.Move(job.lane, before, TurnOf(static_cast<JobIndex>(i)));
    }
  }
}

void RunState::Recall(const std::map<std::string, absl::Duration>& recorded) {
  for (const auto& producer : recorded) {
    durations_.Record(producer.first, producer.second);
  }
  MeasurePaths();
}

void RunState::Learn(const AttemptSucceeded& fact) {
  if (!fact.took.has_value() || !is_weighable()) return;
  durations_.Add(node(fact.job).producer().name(), *fact.took);
  ++calls_seen_;
  const size_t enough =
      std::max({kFirstCalls, jobs_.size() / kFirstShare, 2 * calls_measured_});
  if (calls_seen_ < enough) return;
  calls_measured_ = calls_seen_;
  MeasurePaths();
}

}  // namespace kinora
