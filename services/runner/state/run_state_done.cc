// The part of RunState that takes jobs as done on somebody's word.

#include <algorithm>
#include <utility>

#include "services/runner/state/run_state.h"

namespace kinora {

RunState::DoneJobs RunState::FindDone(
    absl::FunctionRef<std::optional<ToldEnd>(const std::string& job_id)> told)
    const {
  DoneJobs done;
  // Whoever reads the list of what was deferred looks at contents.
  if (!deferred_.empty()) return done;
  // What is to be made once more may come out otherwise, and so may what was.
  std::vector<bool> is_open(jobs_.size(), false);
  std::vector<size_t> last_read(jobs_.size(), 0);  // the last end it depends on
  for (size_t i = 0; i < jobs_.size(); ++i) {
    std::optional<ToldEnd> end;
    if (!is_open[i]) end = told(jobs_[i].job->job_id());
    is_open[i] = !end.has_value() || end->order <= last_read[i];
    if (!is_open[i]) {
      done.jobs.push_back({static_cast<JobIndex>(i), end->status});
    }
    for (JobIndex dependant : jobs_[i].dependants) {
      const size_t next = static_cast<size_t>(dependant);
      if (is_open[i]) {
        is_open[next] = true;
      } else {
        last_read[next] = std::max(last_read[next], end->order);
      }
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
