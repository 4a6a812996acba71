// A PlanWorld is a movie in a test: a blueprint, inputs, a log and a manifest,
// with a runner that is nothing but the rules. It works out keys from what a
// plan says, as a real runner must, so plan and key are checked against each
// other.

#ifndef KINORA_SERVICES_PLANNER_PLAN_PLAN_WORLD_H_
#define KINORA_SERVICES_PLANNER_PLAN_PLAN_WORLD_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "services/planner/plan/artefact_log_index.h"
#include "services/planner/plan/make_plan.h"

namespace kinora {

// The jobs to run, layer by layer.
std::vector<std::string> JobIds(
    const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers);
inline std::vector<std::string> JobIds(const v1::Plan& plan) {
  return JobIds(plan.layers());
}

class PlanWorld {
 public:
  explicit PlanWorld(const std::string& yaml) { SetBlueprint(yaml); }

  void SetBlueprint(const std::string& yaml);
  // Appends an input event; JSON for the input's type.
  void Set(const std::string& id, const std::string& json);

  PlanInputs Inputs() const;
  absl::StatusOr<MadePlan> TryPlan() const { return MakePlan(Inputs()); }
  // Fails the test if there is no plan, or if one that goes on from the plan
  // before is another.
  v1::Plan Plan() const;

  // Carries a plan out and commits it, unless a job fails. Returns the ids of
  // the jobs whose producer was called, in order.
  std::vector<std::string> Run(const v1::Plan& plan);
  std::vector<std::string> Run() { return Run(Plan()); }

  // Puts a text in the place of an artefact of the manifest.
  void EditByHand(const std::string& artefact_id, const std::string& text);

  // Empties the artefact log.
  void ForgetResults() { results_ = ArtefactLogIndex(); }

  // Jobs that fail when they are called.
  std::set<std::string> failing;
  v1::Failure failure;  // why they fail
  // What a job makes, if not text that names the job and its key, for JSON a
  // list of up to three numbers, or a document for what has leaves.
  std::map<std::string, std::string> constant;
  std::map<std::string, std::string> versions;  // by producer
  bool texts_are_blobs = false;                 // of those that name their key
  bool lists_may_be_empty = false;
  // What is made anew is not lost any more.
  absl::flat_hash_set<Digest> lost_blobs;
  v1::PlanScope scope;

  v1::Manifest manifest;  // the current one, if has_manifest
  bool has_manifest = false;
  // Every key whose producer succeeded so far.
  std::set<std::string> called_keys;
  bool called_twice = false;
  int expansions = 0;    // of the latest run
  absl::Status refusal;  // why the latest run could not be expanded

 private:
  struct Result {
    v1::Content content;
    std::string inputs_hash;
    std::string node;
  };

  // Brings what is kept up to date.
  HydratedGraph* Keep(const PlanInputs& in, const MadePlan& made) const;
  // What a planner keeps from plan to plan.
  struct Kept {
    Blueprint blueprint;
    Blueprint base_blueprint;
    GraphShape shape;
    std::unique_ptr<HydratedGraph> graph;
  };

  // One run; `plan` grows by what its expansions bring.
  struct Running {
    v1::Plan plan;
    std::set<std::string> jobs;  // ids of those that are done
    std::map<std::string, Result> results;
    std::vector<std::string> called;
    bool failed = false;
  };

  void Reuse(const v1::ReusedJob& job, Running* run);
  void RunLayers(
      const google::protobuf::RepeatedPtrField<v1::PlanLayer>& layers,
      Running* run);
  void RunJob(const v1::PlannedJob& job, Running* run);
  v1::Content Make(const v1::Plan& plan, const v1::PlannedJob& job,
                   const v1::PlannedArtefact& artefact,
                   const Digest& key) const;
  bool IsLost(const v1::Content& content) const;
  // Expands what is deferred, as a planner over a store does.
  void Expand(const v1::Plan& saved, Running* run);

  Digest KeyOf(const v1::Plan& plan, const v1::PlannedJob& job,
               const std::map<std::string, Result>& results) const;
  void Append(const std::string& artefact_id, const std::string& inputs_hash,
              const v1::Content* output, int64_t reused_sequence,
              v1::EditedBy edited_by = v1::EDITED_BY_UNSPECIFIED);
  void Commit(const v1::Plan& plan, const std::map<std::string, Result>& done);

  Blueprint blueprint_;
  std::string blueprint_hash_;
  Blueprint base_blueprint_;
  InputMap inputs_;
  int64_t input_sequence_ = 0;
  int64_t artefact_sequence_ = 0;
  int runs_ = 0;
  ArtefactLogIndex results_;
  mutable std::shared_ptr<Kept> kept_;  // copies of a world share it
};

}  // namespace kinora

#endif  // KINORA_SERVICES_PLANNER_PLAN_PLAN_WORLD_H_
