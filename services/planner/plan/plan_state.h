// A PlanState is a plan in the making: for every element what is known of its
// value, for every job what becomes of it. Made by JudgeJobs(), read by what
// writes the plan.

#ifndef KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_
#define KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "common/digest.h"
#include "services/planner/graph/graph.h"
#include "services/planner/plan/make_plan.h"

namespace kinora {

enum class JobFate : uint8_t { kClean, kReused, kMustRun, kMayRun };

inline bool Runs(JobFate fate) {
  return fate == JobFate::kMustRun || fate == JobFate::kMayRun;
}

// Where the value of an element is from.
enum class Origin : uint8_t {
  kNone,  // not known: its job runs, or nobody set the input
  kSet,   // an input somebody set
  kStaged,
  kDefault,
  kBase,  // an artefact of the base manifest
  kLog,   // an artefact of the log
};

// One value, or the lack of it.
struct ElementValue {
  const v1::Content* content = nullptr;  // null for kNone
  Digest hash;
  Origin origin = Origin::kNone;
  // Of an artefact from the log.
  int64_t sequence = 0;
};

struct PlanState {
  PlanState(const PlanInputs& plan_inputs, Graph expanded)
      : in(plan_inputs), graph(std::move(expanded)) {}

  const PlanInputs& in;
  Graph graph;
  // Values set with the staged ones over them.
  InputMap set;
  std::vector<std::string> warnings;
  // By element; the base's entry only for artefacts, the flag only for inputs.
  std::vector<ElementValue> values;
  std::vector<const v1::ManifestArtefact*> base;
  std::vector<bool> input_changed;
  // By job. A key is all zero if something the job reads is not known.
  std::vector<JobFate> fates;
  std::vector<Digest> keys;
  std::vector<uint32_t> layers;  // counted from 0; only of jobs that run
  // By node.
  std::vector<std::string> versions;
  std::vector<std::string> removed_artefact_ids;  // sorted
  std::vector<std::string> changed_inputs;        // sorted

  const v1::ManifestArtefact* BaseOf(Graph::Element artefact) const {
    return base[artefact - graph.num_inputs()];
  }
  bool IsLost(const v1::Content& content) const;
};

// The hash of a content's bytes. DATA_LOSS naming `id` if it is malformed.
absl::StatusOr<Digest> HashOf(absl::string_view id, const v1::Content& content);

// The parts of MakePlan, in order.
absl::Status ReadInputs(PlanState* state);
absl::Status ReadBase(PlanState* state);
absl::Status JudgeJobs(PlanState* state);

// Why a job that runs does.
v1::JobReason ReasonFor(const PlanState& state, int node, Graph::Job job);

// Writes the plan down.
MadePlan WritePlan(const PlanState& state);

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_PLAN_STATE_H_
