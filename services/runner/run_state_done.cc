// The part of RunState that takes jobs as done on somebody's word.

#include <utility>

#include "services/runner/run_state.h"

namespace kinora {

RunState::DoneJobs RunState::FindDone(
    absl::FunctionRef<std::optional<JobStatus>(const std::string& job_id)> told)
    const {
  DoneJobs done;
  // Whoever reads the list of what was deferred looks at contents.
  if (!deferred_.empty()) return done;
  // What is to be made once more may come out otherwise.
  std::vector<bool> is_open(jobs_.size(), false);
  for (size_t i = 0; i < jobs_.size(); ++i) {
    const std::optional<JobStatus> status =
        is_open[i] ? std::nullopt : told(jobs_[i].job->job_id());
    if (status.has_value()) {
      done.jobs.push_back({static_cast<JobIndex>(i), *status});
      continue;
    }
    is_open[i] = true;
    for (JobIndex dependant : jobs_[i].dependants) {
      is_open[static_cast<size_t>(dependant)] = true;
    }
  }
  for (const auto& [index, status] : done.jobs) {
    for (JobIndex dependant : Entry(index).dependants) {
      if (!is_open[static_cast<size_t>(dependant)]) continue;
      done.read.push_back(index);
      break;
    }
  }
  return done;
}

void RunState::TakeDone(const DoneJobs& done,
                        std::vector<std::vector<v1::Content>> results) {
  for (const auto& [index, status] : done.jobs) SetStatus(index, status);
  for (size_t i = 0; i < done.read.size(); ++i) {
    Know(done.read[i], std::move(results[i]));
  }
  for (const auto& [index, status] : done.jobs) LetDependantsGoOn(index);
  unseen_results_ = done.jobs.size() - done.read.size();
  // Some that are done were to be looked up.
  look_ups_.clear();
  for (size_t i = 0; i < jobs_.size(); ++i) {
    if (jobs_[i].status == JobStatus::kLookingUp) {
      look_ups_.push_back(static_cast<JobIndex>(i));
    }
  }
  OpenLayers();
}

}  // namespace kinora
