// A RandomPlan is a small graph of jobs drawn from a seed, and what a planner
// says of it: a plan of the jobs that are known at first, and the expansions
// that tell the others once the artefacts have landed that decide about them.

#ifndef KINORA_TESTS_MODEL_RANDOM_PLAN_H_
#define KINORA_TESTS_MODEL_RANDOM_PLAN_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

#include "common/random.h"
#include "kinora/v1/plan.pb.h"
#include "kinora/v1/planner.pb.h"
#include "services/runner/state/run_state.h"

namespace kinora {

// A text as a value, in one of the two forms that values have.
v1::Content TextContent(absl::string_view text, bool as_blob);

class RandomPlan {
 public:
  struct Job {
    v1::PlannedJob planned;  // but for its key
    int node = 0;            // in nodes()
    std::set<int> upstream;  // jobs it reads from
    std::string decider;     // the artefact that decides about it, if any
    bool is_reused = false;  // its results come from the log
    std::vector<v1::Content> results;  // of a reused one
  };

  // Draws it. 1 to 40 jobs, few more often than many.
  explicit RandomPlan(Random& random);

  const RunStateOptions& options() const { return options_; }
  const std::vector<v1::PlannedNode>& nodes() const { return nodes_; }
  // In an order in which each comes after what it reads from.
  const std::vector<Job>& jobs() const { return jobs_; }
  // Values of inputs, and of artefacts that no job makes.
  const std::map<std::string, v1::Content>& values() const { return values_; }

  // What is known before anything has landed.
  std::shared_ptr<const v1::Plan> Plan() const;

  // What is known beyond that once the artefacts `landed` have; without the
  // jobs that an answer to `told` has held, if `told` is not null.
  std::shared_ptr<const v1::ExpandDeferredGroupResponse> Expand(
      const std::set<std::string>& landed,
      const std::set<std::string>* told) const;

 private:
  int Below(int bound);
  bool OneIn(int n) { return Below(n) == 0; }
  void DrawLimits();
  void DrawNodes();
  void DrawValues();
  void DrawJob(int index, bool may_defer);
  void DrawBindings(int index, v1::PlannedJob* job);
  std::string DrawSource(int index);

  // Whether each job is known.
  std::vector<bool> Known(const std::set<std::string>& landed) const;
  // Adds the jobs and what they need to a plan or an expansion.
  template <typename PlanPart>
  void AddJobs(const std::vector<bool>& which, PlanPart* part) const;
  void AddDeferred(
      const std::vector<bool>& known, const std::set<std::string>& landed,
      google::protobuf::RepeatedPtrField<v1::DeferredGroup>* groups) const;

  Random& random_;
  RunStateOptions options_;
  std::vector<v1::PlannedNode> nodes_;
  std::vector<Job> jobs_;
  std::map<std::string, int> maker_;
  std::map<std::string, v1::Content> values_;
};

}  // namespace kinora

#endif  // KINORA_TESTS_MODEL_RANDOM_PLAN_H_
