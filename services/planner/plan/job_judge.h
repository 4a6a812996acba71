// The judge behind JudgeJobs(): goes through the jobs of a plan and decides
// what becomes of each.

#ifndef KINORA_SERVICES_PLANNER_PLAN_JOB_JUDGE_H_
#define KINORA_SERVICES_PLANNER_PLAN_JOB_JUDGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"

#include "common/digest.h"
#include "services/planner/plan/job_keys.h"
#include "services/planner/plan/job_set.h"
#include "services/planner/plan/keys_ahead.h"
#include "services/planner/plan/plan_state.h"
#include "services/planner/plan/result_index.h"

namespace kinora {

// For one plan; goes through the jobs in the order in which data flows, but
// only those that are *pending*: not verified, or reached by something new. All
// others are clean. What a job makes reaches its readers if it is not what the
// base has.
//
// A job's layer is one more than the highest of the running jobs it reads from,
// which is the round in which Kahn's algorithm over the running jobs frees it.
class JobJudge {
 public:
  explicit JobJudge(PlanState* state)
      : state_(*state),
        graph_(state->graph),
        keys_(*state),
        keys_ahead_(*state, state->in.executor),
        pending_(state->hydrated.verified().Complement()),
        // Then everything is looked at, and nobody need be told.
        all_pending_(!state->hydrated.any_verified()) {}

  absl::Status Run();

 private:
  // A job whose key is known and not that of the base, until the results in the
  // log are looked up.
  struct Question {
    int node = 0;
    Graph::Job job = 0;
    Digest key;
    size_t first_query = 0;
  };

  // What there is to say of all that a job reads.
  struct Sources {
    bool known = true;    // all of them
    bool of_base = true;  // and nothing but the base and the inputs in effect
    bool asked = false;   // some are not known *yet*: look again after LookUp()
    bool is_behind = false;  // some come after the last layer asked for
    std::optional<Graph::Element> none;  // one that has no value
  };

  // Its readers are looked at.
  void Reach(Graph::Element element);
  void SeedInputs();
  void SeedHandEdits();
  void SeedVersions();
  // True if the node's producer has another version than that of the base.
  bool IsOtherNode(int node) const;
  absl::Status JudgeRun(const Graph::JobRun& run);
  absl::Status Judge(int node, Graph::Job job);
  bool IsForced(Graph::Job job) const;
  // REQUIRES: the job's layer is known.
  bool LeavesOut(Graph::Job job) const;
  // The job is not clean and stays as it is.
  absl::Status Leave(Graph::Job job,
                     absl::Span<const Graph::Element> artefacts);
  // For a job that reads what was left without a value: what lies behind the
  // last layer asked for is left, too; else the scope cannot be met.
  absl::Status CannotBeMade(int node, Graph::Job job,
                            absl::Span<const Graph::Element> artefacts,
                            Graph::Element source);
  Sources LookAtSources(int node, Graph::Job job);
  void ComeAfter(Graph::Job maker, Graph::Job job);
  void BecomesUnknown(Graph::Job job,
                      absl::Span<const Graph::Element> artefacts);
  void MustRun(Graph::Job job, absl::Span<const Graph::Element> artefacts);

  // job_judge_results.cc
  // The edit by hand that stands for the artefact under that key, if it says
  // something else than the base.
  const HandEdit* EditOf(Graph::Element artefact, const Digest& key) const;
  bool BaseHas(uint32_t artefact, const Digest& key) const;
  bool BaseHasAll(absl::Span<const Graph::Element> artefacts,
                  const Digest& key) const;
  bool HasAllInBase(absl::Span<const Graph::Element> artefacts) const;
  bool IsOfThisRun(const LoggedResult& result) const;
  void Ask(int node, Graph::Job job, const Digest& key,
           absl::Span<const Graph::Element> artefacts);
  // Looks up all that was asked so far.
  absl::Status LookUp();
  // Takes the results of a job from base and log if they have all of them.
  absl::Status Answer(const Question& question,
                      absl::Span<const std::optional<LoggedResult>> logged);
  // Takes an artefact from the log, or from the base for null.
  absl::Status Take(Graph::Element artefact, const LoggedResult* result);
  // A job whose key is not known yet may turn out to have a result only if
  // there is an earlier one of all it makes.
  absl::Status FindEarlierResults();

  PlanState& state_;
  const Graph& graph_;
  JobKeys keys_;
  KeysAhead keys_ahead_;
  JobSet pending_;
  const bool all_pending_;
  bool is_other_node_ = false;  // the node at hand
  absl::flat_hash_map<Graph::Element, const HandEdit*> hand_edits_;
  std::vector<Question> questions_;
  std::vector<ResultQuery> queries_;
  std::vector<Question> unsure_;  // of jobs whose artefacts the base lacks
  std::vector<Graph::Element> missing_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_JOB_JUDGE_H_
