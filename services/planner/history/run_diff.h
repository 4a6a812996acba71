// A RunDiff compares two runs, of one movie or of two: the inputs of their
// plans, what became of each job and which part of its key differs, and, if
// both led to one, their manifests. Pure; it takes time and memory linear in
// the plans and the jobs.

#ifndef KINORA_SERVICES_PLANNER_HISTORY_RUN_DIFF_H_
#define KINORA_SERVICES_PLANNER_HISTORY_RUN_DIFF_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kinora/v1/planner.pb.h"
#include "services/planner/history/revision_diff.h"
#include "services/planner/history/told_run.h"

namespace kinora {

// Thread-safe once the manifests are set.
class RunDiff {
 public:
  RunDiff(ToldRun from, ToldRun to);

  // The manifests that the runs led to, compared.
  void SetManifests(std::shared_ptr<const RevisionDiff> manifests);
  // Says that some of the events are gone.
  void SetIncomplete() { summary_.set_complete_history(false); }

  // The differences: inputs, jobs, artefacts, each in order of their ids.
  size_t size() const {
    return inputs_.size() + jobs_.size() + changed_artefacts_;
  }
  v1::RunDifference At(size_t position) const;
  // Everything in numbers.
  v1::RunDiff Summary() const;

 private:
  // Null where only the other run has it.
  struct InputPair {
    const v1::PlannedInput* before = nullptr;
    const v1::PlannedInput* after = nullptr;
  };
  struct JobPair {
    const std::string* id = nullptr;
    const ToldRun::Job* before = nullptr;
    const ToldRun::Job* after = nullptr;
  };

  void CompareInputs();
  void CompareJobs();
  void CompareNodes();
  v1::Difference DescribeInput(const InputPair& input) const;
  v1::JobDifference DescribeJob(const JobPair& job) const;

  const ToldRun from_;
  const ToldRun to_;
  std::vector<InputPair> inputs_;
  std::vector<JobPair> jobs_;
  std::shared_ptr<const RevisionDiff> manifests_;  // null if they have none
  // What differs between those are inputs, and then so many artefacts.
  size_t changed_artefacts_ = 0;
  v1::RunDiff summary_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_HISTORY_RUN_DIFF_H_
