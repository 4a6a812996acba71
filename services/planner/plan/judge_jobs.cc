// The part of MakePlan that decides what becomes of each job.

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/inputs_hash.h"
#include "common/status.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

// For one plan; goes through the jobs in the order in which data flows. A
// job's layer is one more than the highest of the running jobs it reads from,
// which is the round in which Kahn's algorithm over the running jobs frees it.
class JobJudge {
 public:
  explicit JobJudge(PlanState* state) : state_(*state), graph_(state->graph) {}

  absl::Status Run() {
    state_.fates.resize(graph_.num_jobs(), JobFate::kClean);
    state_.keys.resize(graph_.num_jobs());
    state_.layers.resize(graph_.num_jobs(), 0);
    for (const Graph::JobRun& run : graph_.order()) {
      const NodeDeclaration& declaration = state_.in.blueprint->nodes[run.node];
      key_.node.producer = declaration.producer;
      key_.node.producer_version = state_.versions[run.node];
      key_.node.settings = declaration.settings_hash;
      key_.node.salt = declaration.salt;
      key_.node.outputs.clear();
      for (int output : declaration.outputs) {
        const OutputDeclaration& made = state_.in.blueprint->outputs[output];
        key_.node.outputs.push_back({made.name, made.mime_type});
      }
      for (Graph::Job job = run.first; job < run.end; ++job) {
        KINORA_RETURN_IF_ERROR(Judge(run.node, declaration, job));
      }
    }
    return missing_.empty() ? absl::OkStatus() : MissingError();
  }

 private:
  absl::Status Judge(int node, const NodeDeclaration& declaration,
                     Graph::Job job) {
    absl::Span<const Graph::Element> artefacts = graph_.Artefacts(node, job);
    bool known = ReadSources(node, declaration, job);
    if (artefacts.empty()) return absl::OkStatus();  // nothing to make
    key_.artefact_ids.clear();
    for (Graph::Element artefact : artefacts) {
      key_.artefact_ids.push_back(graph_.ElementIdOf(artefact));
    }
    if (!known) {
      state_.fates[job] =
          HasEarlierResults(artefacts) ? JobFate::kMayRun : JobFate::kMustRun;
      return absl::OkStatus();
    }
    key_.job_id = graph_.JobIdOf(node, job);
    state_.keys[job] = InputsHash(key_);
    return FindResults(artefacts, job);
  }

  // Fills key_.bindings. False if something the job reads is not known.
  bool ReadSources(int node, const NodeDeclaration& declaration,
                   Graph::Job job) {
    bool known = true;
    key_.bindings.clear();
    for (size_t b = 0; b < declaration.bindings.size(); ++b) {
      const Binding& binding = declaration.bindings[b];
      KeyBinding& bound = key_.bindings.emplace_back();
      bound.name = binding.name;
      bound.is_list = binding.is_list;
      for (Graph::Element source : graph_.Sources(node, job, b)) {
        const ElementValue& value = state_.values[source];
        if (value.origin == Origin::kNone) {
          known = false;
          NoteUnknown(source, job);
        } else if (known) {
          bound.contents.push_back(value.hash);
        }
      }
      if (binding.group >= 0) {
        bound.is_grouped = true;
        bound.group_sizes = graph_.GroupSizes(node, job, b);
      }
    }
    return known;
  }

  void NoteUnknown(Graph::Element source, Graph::Job job) {
    if (graph_.IsInput(source)) {
      missing_.push_back(source);
      return;
    }
    uint32_t& layer = state_.layers[job];
    layer = std::max(layer, state_.layers[graph_.MakerOf(source)] + 1);
  }

  // True if a key that is not known yet could match.
  bool HasEarlierResults(absl::Span<const Graph::Element> artefacts) const {
    for (size_t i = 0; i < artefacts.size(); ++i) {
      if (state_.BaseOf(artefacts[i]) != nullptr) continue;
      const AttemptHistory* history =
          state_.in.results->History(key_.artefact_ids[i]);
      if (history == nullptr || !history->succeeded_once) return false;
    }
    return true;
  }

  // Takes the results of a job from base and log if they have all of them.
  absl::Status FindResults(absl::Span<const Graph::Element> artefacts,
                           Graph::Job job) {
    const Digest& key = state_.keys[job];
    std::string key_hex = key.Hex();
    std::vector<ElementValue> found;
    JobFate fate = JobFate::kClean;
    for (size_t i = 0; i < artefacts.size(); ++i) {
      ElementValue& value = found.emplace_back();
      const v1::ManifestArtefact* base = state_.BaseOf(artefacts[i]);
      if (base != nullptr && base->inputs_hash() == key_hex &&
          !state_.IsLost(base->content())) {
        value.content = &base->content();
        value.origin = Origin::kBase;
      } else {
        const LoggedResult* logged =
            state_.in.results->Find(key_.artefact_ids[i], key);
        if (logged == nullptr || state_.IsLost(logged->content)) {
          state_.fates[job] = JobFate::kMustRun;
          return absl::OkStatus();
        }
        value.content = &logged->content;
        value.origin = Origin::kLog;
        value.sequence = logged->sequence;
        fate = JobFate::kReused;
      }
      KINORA_ASSIGN_OR_RETURN(value.hash,
                              HashOf(key_.artefact_ids[i], *value.content));
    }
    for (size_t i = 0; i < artefacts.size(); ++i) {
      state_.values[artefacts[i]] = found[i];
    }
    state_.fates[job] = fate;
    return absl::OkStatus();
  }

  absl::Status MissingError() {
    constexpr size_t kMaxNamed = 5;
    std::sort(missing_.begin(), missing_.end());
    missing_.erase(std::unique(missing_.begin(), missing_.end()),
                   missing_.end());
    const InputDeclaration& input =
        state_.in.blueprint->inputs[graph_.InputOf(missing_[0])];
    std::string why = "has neither a value nor a default";
    for (size_t i = 1; i < missing_.size() && i < kMaxNamed; ++i) {
      absl::StrAppend(&why, i == 1 ? " (nor have " : ", ",
                      graph_.ElementIdOf(missing_[i]));
    }
    if (missing_.size() > kMaxNamed) {
      absl::StrAppend(&why, " and ", missing_.size() - kMaxNamed, " more");
    }
    if (missing_.size() > 1) why += ")";
    return InputMissing(input, graph_.ElementIdOf(missing_[0]), why);
  }

  PlanState& state_;
  const Graph& graph_;
  JobKey key_;  // of the job at hand
  std::vector<Graph::Element> missing_;
};

}  // namespace

absl::Status JudgeJobs(PlanState* state) { return JobJudge(state).Run(); }

}  // namespace kinora
