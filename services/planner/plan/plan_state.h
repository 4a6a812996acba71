// A PlanState is a plan in the making: what it knows beyond its HydratedGraph,
// for each job that it looked at. Filled by JudgeJobs(), read by what writes
// the plan. Its memory and time go with what differs from the base.

#ifndef KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_
#define KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"

#include "common/digest.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/hydrated_graph.h"
#include "services/planner/plan/job_set.h"
#include "services/planner/plan/make_plan.h"
#include "services/planner/plan/scope.h"

namespace kinora {

// kClean is the zero of ZeroedArray: so are the jobs nobody looked at.
enum class JobFate : uint8_t {
  kClean,
  kReused,
  kMustRun,
  kMayRun,
  kLeft,  // not clean, but the scope leaves it as it is
};
inline constexpr size_t kJobFates = 5;

inline bool Runs(JobFate fate) {
  return fate == JobFate::kMustRun || fate == JobFate::kMayRun;
}

// Where the value of an artefact is from.
enum class ArtefactOrigin : uint8_t {
  kBase,
  kUnknown,  // its job runs
  kLog,
  kAsked,  // while its job's results are being looked up
  kNone,   // its job is left as it is, and there is no value
};

// The value of an artefact from the log.
struct LogValue {
  LoggedResult result;
  Digest hash;
};

// Why the latest attempt at a job under its key failed.
struct LastFailure {
  std::shared_ptr<const v1::Failure> failure;
  std::vector<Graph::Element> artefacts;
};

struct PlanState {
  PlanState(const PlanOptions& options, HydratedGraph* hydrated_graph)
      : in(options),
        hydrated(*hydrated_graph),
        graph(hydrated_graph->graph()),
        base(hydrated_graph->base()),
        fates(graph.num_jobs()),
        layers(graph.num_jobs()),
        origins(graph.num_artefacts()) {}

  const PlanOptions& in;
  HydratedGraph& hydrated;
  const Graph& graph;
  const HydratedBase& base;

  // The staged values, and the inputs that differ from the base, sorted.
  absl::flat_hash_map<Graph::Element, InputValue> staged;
  std::set<std::string> changed_ids;
  absl::flat_hash_map<Graph::Element, bool> staged_changed;
  std::map<Graph::Job, TakeValue> staged_takes;
  JobScope scope;
  std::vector<std::string> warnings;
  // By node.
  std::vector<std::string> versions;
  std::vector<Digest> node_hashes;
  // By job; layers are counted from 0 and only of jobs that run, or would but
  // for the scope.
  ZeroedArray<JobFate> fates;
  ZeroedArray<uint32_t> layers;
  // Of jobs that are not clean: those whose inputs are all known.
  absl::flat_hash_map<Graph::Job, Digest> keys;
  // Jobs that are not clean, ascending.
  std::vector<Graph::Job> dirty;
  // Artefacts whose result in the log has lost its blob.
  absl::flat_hash_set<Graph::Element> lost_results;
  // Of jobs that run.
  absl::flat_hash_map<Graph::Job, LastFailure> last_failures;
  // By artefact; values of those from the log.
  ZeroedArray<ArtefactOrigin> origins;
  absl::flat_hash_map<Graph::Element, LogValue> log_values;

  uint32_t NumberOf(Graph::Element artefact) const {
    return artefact - graph.num_inputs();
  }
  ArtefactOrigin OriginOf(Graph::Element artefact) const {
    return origins[NumberOf(artefact)];
  }
  bool InBase(Graph::Element artefact) const {
    return base.Has(NumberOf(artefact));
  }
  // Null if there is none.
  const InputValue* InputOf(Graph::Element input) const {
    if (!staged.empty()) {
      const auto found = staged.find(input);
      if (found != staged.end()) return &found->second;
    }
    return hydrated.inputs().Of(input);
  }
  uint32_t DrawOf(Graph::Job job) const {
    const auto staged_take = staged_takes.find(job);
    return staged_take == staged_takes.end() ? hydrated.inputs().DrawOf(job)
                                             : staged_take->second.draw;
  }
  bool InputChanged(Graph::Element input) const {
    const auto found = staged_changed.find(input);
    return found != staged_changed.end() ? found->second
                                         : hydrated.inputs().IsChanged(input);
  }
  // REQUIRES: the artefact is not of a job that runs.
  const Digest& HashOfArtefact(Graph::Element artefact) const {
    return OriginOf(artefact) == ArtefactOrigin::kLog
               ? log_values.find(artefact)->second.hash
               : base.content_hash(NumberOf(artefact));
  }
  // True for a job that is made anew whatever results there are.
  bool IsForced(Graph::Job job) const {
    return !scope.forced.empty() && Runs(fates[job]) &&
           scope.forced.contains(job);
  }
  // True for a job that comes after the last layer asked for and is left as it
  // is for no other reason: its layer is that of a plan of all layers, in which
  // it would run.
  bool IsBehindLastLayer(Graph::Job job) const {
    return scope.up_to_layer != 0 && fates[job] == JobFate::kLeft &&
           layers[job] >= scope.up_to_layer && !scope.LeavesOut(job);
  }
  // Null unless all the job reads is known.
  const Digest* KeyOf(Graph::Job job) const {
    const auto found = keys.find(job);
    return found == keys.end() ? nullptr : &found->second;
  }
};

// The parts of MakePlanOn(), in order.
absl::Status TakeOptions(PlanState* state);
absl::Status JudgeJobs(PlanState* state);
absl::Status FindLastFailures(PlanState* state);
void WarnOfMissingLater(PlanState* state);
void WarnOfStaleLeaves(PlanState* state);
// What of the scope shows only when the jobs are judged; see ResolveScope() for
// the rest.
absl::Status CheckScope(const PlanState& state);
void WarnOfIdleControls(PlanState* state);

// Adds a warning for people, unless there are too many.
void Warn(std::string text, PlanState* state);

// FAILED_PRECONDITION (INPUT_MISSING) for inputs that have no value.
// REQUIRES: there is one.
absl::Status MissingInputs(const PlanState& state,
                           std::vector<Graph::Element> missing);

// What is not as the base has it of what sizes and switches the things that a
// node's jobs read: the first ids, and how many more.
struct ShapeChanges {
  std::set<std::string> ids;
  size_t more = 0;
};

// Why a job that runs does. `shapes` keeps from job to job what is found for
// their nodes.
v1::JobReason ReasonFor(const PlanState& state, int node, Graph::Job job,
                        std::map<int, ShapeChanges>* shapes);

// Writes the plan down, but for what `in.summary_only` leaves out. `decided`
// are the deciding artefacts whose values are known.
MadePlan WritePlan(const PlanState& state,
                   std::vector<DecidedArtefact> decided);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_
