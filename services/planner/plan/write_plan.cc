// The part of MakePlan that writes the decisions down as a v1::Plan.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/element_id.h"
#include "common/ids.h"
#include "services/planner/plan/deferred_groups.h"
#include "services/planner/plan/plan_state.h"
#include "services/planner/plan/relied_on.h"

namespace kinora {
namespace {

class PlanWriter {
 public:
  explicit PlanWriter(const PlanState& state)
      : state_(state),
        graph_(state.graph),
        blueprint_(state.hydrated.blueprint()),
        relied_on_(state) {
    for (v1::DeferredGroup& group : DeferredGroups(state.graph)) {
      deferred_nodes_.insert(group.node());
      if (!state.scope.Awaits(
              static_cast<size_t>(blueprint_.FindNode(group.node())))) {
        continue;
      }
      awaited_nodes_.insert(group.node());
      deferred_.push_back(std::move(group));
    }
  }

  MadePlan Write(std::vector<DecidedArtefact> decided) {
    WriteHead();
    if (!state_.in.summary_only) WriteInputs();
    for (Graph::Job job : state_.dirty) WriteDirty(job);
    PutUrgentFirst();
    WriteDeferred();
    for (auto& [name, node] : nodes_) {
      *plan_.add_nodes() = std::move(node);
    }
    WriteSources();
    WriteSummary();
    relied_on_.AddInputs();
    if (!state_.in.base_blobs_known) relied_on_.AddAllOfBase();
    for (const DecidedArtefact& artefact : decided) {
      relied_on_.Add(artefact.content);
    }
    MadePlan made;
    made.plan = std::move(plan_);
    made.summary_only = state_.in.summary_only;
    made.warnings = state_.warnings;
    NoteDeferred(&made.warnings);
    NoteSwitchedOff(&made.warnings);
    made.relied_on = std::move(relied_on_).Names();
    made.decided = std::move(decided);
    return made;
  }

 private:
  // Artefacts of one node that leave.
  struct SwitchedOff {
    std::vector<std::string> named;  // the first few
    size_t count = 0;
  };

  void WriteHead() {
    plan_.set_format_version(1);
    plan_.set_movie_id(state_.in.movie_id);
    Revision base;
    if (state_.base.exists()) {
      plan_.set_base_revision(state_.base.revision());
      plan_.set_manifest_base_hash(state_.hydrated.base_hash());
      absl::StatusOr<Revision> parsed = Revision::Parse(state_.base.revision());
      if (parsed.ok()) base = *parsed;
    }
    plan_.set_target_revision(base.Next().ToString());
    plan_.set_inputs_through_sequence(state_.in.inputs_through_sequence);
    plan_.set_blueprint_hash(state_.hydrated.blueprint_hash());
    if (!state_.scope.empty()) {
      *plan_.mutable_scope() = state_.scope.controls;
    }
    for (const std::string& id : state_.base.removed_artefact_ids()) {
      if (IsOfDeferredNode(id)) continue;
      ++removed_;
      LookForSwitch(id);
      if (!state_.in.summary_only) plan_.add_removed_artefact_ids(id);
    }
  }

  void WriteInputs() {
    std::map<std::string, v1::PlannedInput> sorted;
    for (Graph::Element e = 0; e < graph_.num_inputs(); ++e) {
      const InputValue* value = state_.InputOf(e);
      if (value == nullptr) continue;
      v1::PlannedInput& input = sorted[graph_.ElementIdOf(e)];
      *input.mutable_content() = value->content;
      input.set_is_default(value->origin == InputOrigin::kDefault);
    }
    for (const auto& [job, take] : state_.hydrated.inputs().takes()) {
      *sorted[take.id].mutable_content() = take.content;
    }
    for (const auto& [job, take] : state_.staged_takes) {
      *sorted[take.id].mutable_content() = take.content;
    }
    for (auto& [id, input] : sorted) {
      input.set_input_id(id);
      *plan_.add_inputs() = std::move(input);
    }
  }

  // A job that is not clean.
  void WriteDirty(Graph::Job job) {
    const int node = graph_.NodeOf(job);
    const JobFate fate = state_.fates[job];
    ++counts_[static_cast<size_t>(fate)];
    if (Runs(fate)) {
      layers_ = std::max(layers_, state_.layers[job] + 1);
      NoteSources(node, job);
    }
    if (!state_.in.summary_only) {
      if (fate != JobFate::kLeft &&
          nodes_.find(blueprint_.nodes[node].name) == nodes_.end()) {
        DescribeNode(node);
      }
      if (Runs(fate)) WriteJob(node, job);
      if (fate == JobFate::kReused) WriteReused(node, job);
    }
    if (fate == JobFate::kReused) relied_on_.AddReused(node, job);
  }

  void PutUrgentFirst() {
    auto priority = [this](const v1::PlannedJob& job) {
      return nodes_.find(job.node())->second.limits().priority();
    };
    const bool told = std::any_of(
        nodes_.begin(), nodes_.end(),
        [](const auto& node) { return node.second.limits().priority() > 0; });
    if (!told) return;
    for (v1::PlanLayer& layer : *plan_.mutable_layers()) {
      std::stable_sort(layer.mutable_jobs()->pointer_begin(),
                       layer.mutable_jobs()->pointer_end(),
                       [&](const v1::PlannedJob* a, const v1::PlannedJob* b) {
                         return priority(*a) > priority(*b);
                       });
    }
  }

  // An expansion needs the versions of these nodes, too.
  void WriteDeferred() {
    if (state_.in.summary_only) return;
    for (const v1::DeferredGroup& group : deferred_) {
      *plan_.add_deferred() = group;
    }
    if (deferred_.empty()) return;
    const std::vector<bool>& behind = state_.scope.awaited;
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      const std::string& name = blueprint_.nodes[n].name;
      // Behind targets of the scope there may be more, of any node.
      const bool may_come =
          awaited_nodes_.contains(name) || (!behind.empty() && behind[n]);
      if (may_come && nodes_.find(name) == nodes_.end()) {
        DescribeNode(static_cast<int>(n));
      }
    }
  }

  // For people: which nodes wait for what.
  void NoteDeferred(std::vector<std::string>* notes) const {
    constexpr size_t kMaxNotes = 20;
    std::map<std::string, std::set<std::string>> nodes_by_decider;
    for (const v1::DeferredGroup& group : deferred_) {
      const std::string& decider = group.sized_by_artefact_id();
      if (!decider.empty()) nodes_by_decider[decider].insert(group.node());
    }
    for (const auto& [decider, nodes] : nodes_by_decider) {
      if (notes->size() >= kMaxNotes) return;
      notes->push_back(absl::StrCat(decider, " decides about jobs of ",
                                    absl::StrJoin(nodes, ", "),
                                    ": they are planned when it is made"));
    }
  }

  // Keeps those that leave because a condition switched their jobs off.
  void LookForSwitch(const std::string& artefact_id) {
    constexpr size_t kMaxNamed = 3;
    if (graph_.num_inactive_jobs() == 0) return;
    const absl::StatusOr<ElementId> parsed = ElementId::Parse(artefact_id);
    if (!parsed.ok() || !graph_.IsSwitchedOff(*parsed)) return;
    const int output = blueprint_.FindOutput(parsed->name);
    SwitchedOff& of_node =
        switched_off_[blueprint_.nodes[blueprint_.outputs[output].node].name];
    ++of_node.count;
    if (of_node.named.size() < kMaxNamed) of_node.named.push_back(artefact_id);
  }

  // For people: what leaves though the blueprint has it.
  void NoteSwitchedOff(std::vector<std::string>* notes) const {
    constexpr size_t kMaxNodes = 20;
    size_t nodes = 0;
    for (const auto& [node, off] : switched_off_) {
      if (++nodes > kMaxNodes) return;
      const size_t more = off.count - off.named.size();
      notes->push_back(absl::StrCat(
          absl::StrJoin(off.named, ", "),
          more == 0 ? "" : absl::StrCat(" and ", more, " more"),
          off.count == 1 ? " is" : " are", " inactive now: the condition of ",
          node, off.count == 1 ? " switches it off" : " switches them off"));
    }
  }

  bool IsOfDeferredNode(const std::string& artefact_id) const {
    if (deferred_nodes_.empty()) return false;
    const absl::StatusOr<ElementId> parsed = ElementId::Parse(artefact_id);
    const int output = parsed.ok() ? blueprint_.FindOutput(parsed->name) : -1;
    if (output < 0) return false;
    return deferred_nodes_.contains(
        blueprint_.nodes[blueprint_.outputs[output].node].name);
  }

  void DescribeNode(int node) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    v1::PlannedNode& planned = nodes_[declaration.name];
    planned.set_node(declaration.name);
    planned.mutable_producer()->set_name(declaration.producer);
    planned.mutable_producer()->set_version(state_.versions[node]);
    planned.set_settings_json(declaration.settings_json);
    planned.set_settings_hash(declaration.settings_hash.Hex());
    planned.set_salt(declaration.salt);
    const NodeLimitsDeclaration& limits = declaration.limits;
    if (limits != NodeLimitsDeclaration()) {
      planned.mutable_limits()->set_concurrency(limits.concurrency);
      planned.mutable_limits()->set_max_attempts(limits.max_attempts);
      planned.mutable_limits()->set_attempt_timeout_seconds(
          limits.attempt_timeout_seconds);
      planned.mutable_limits()->set_job_timeout_seconds(
          limits.job_timeout_seconds);
      planned.mutable_limits()->set_priority(limits.priority);
    }
    if (declaration.price.has_value()) {
      v1::Cost& price = *planned.mutable_high_price();
      price.set_currency_code(declaration.price->currency);
      price.set_micros(declaration.price->max_micros);
    }
    for (int output : declaration.outputs) {
      v1::PlannedOutput& out = *planned.add_outputs();
      out.set_name(blueprint_.outputs[output].name);
      out.set_mime_type(blueprint_.outputs[output].mime_type);
    }
  }

  void WriteJob(int node, Graph::Job job) {
    const NodeDeclaration& declaration = blueprint_.nodes[node];
    uint32_t layer = state_.layers[job];
    while (static_cast<uint32_t>(plan_.layers_size()) <= layer) {
      plan_.add_layers();
    }
    v1::PlannedJob& planned = *plan_.mutable_layers(layer)->add_jobs();
    planned.set_job_id(graph_.JobIdOf(node, job));
    planned.set_node(declaration.name);
    WritePoint(declaration.over, graph_.JobPoint(node, job),
               planned.mutable_point());
    for (size_t b = 0; b < declaration.bindings.size(); ++b) {
      v1::PlannedBinding& binding = *planned.add_bindings();
      binding.set_name(declaration.bindings[b].name);
      binding.set_is_list(declaration.bindings[b].is_list);
      if (declaration.bindings[b].group >= 0) {
        binding.set_is_grouped(true);
        for (uint32_t size : graph_.GroupSizes(node, job, b)) {
          binding.add_group_sizes(size);
        }
      }
      for (Graph::Element source : graph_.Sources(node, job, b)) {
        binding.add_source_ids(graph_.ElementIdOf(source));
      }
    }
    for (Graph::Element artefact : graph_.Artefacts(node, job)) {
      WriteArtefact(artefact, planned.add_artefacts());
    }
    *planned.mutable_reason() = ReasonFor(state_, node, job, &shapes_);
    planned.set_need(state_.fates[job] == JobFate::kMustRun
                         ? v1::JOB_NEED_MUST_RUN
                         : v1::JOB_NEED_MAY_RUN);
    planned.set_draw(state_.DrawOf(job));
    planned.set_forced(state_.IsForced(job));
    const auto last = state_.last_failures.find(job);
    if (last != state_.last_failures.end()) {
      *planned.mutable_last_failure() = *last->second.failure;
    }
    const Digest* key = state_.KeyOf(job);
    if (key != nullptr) planned.set_inputs_hash(key->Hex());
  }

  void WriteArtefact(Graph::Element artefact, v1::PlannedArtefact* planned) {
    const OutputDeclaration& output =
        blueprint_.outputs[graph_.OutputOf(artefact)];
    planned->set_artefact_id(graph_.ElementIdOf(artefact));
    planned->set_output(output.name);
    const std::vector<uint32_t> point = graph_.ElementPoint(artefact);
    if (!output.readable.empty()) {
      planned->set_readable_path(output.readable.PathOf(point));
    }
    if (output.leaf_of >= 0) WriteLeaf(output, point, planned);
    WritePoint(output.own_over,
               ProjectPoint(point, output.dimensions, output.own_over),
               planned->mutable_index());
  }

  void WriteLeaf(const OutputDeclaration& leaf,
                 const std::vector<uint32_t>& point,
                 v1::PlannedArtefact* planned) {
    planned->set_json_pointer(leaf.pointer.At(point));
    const std::optional<Graph::Element> whole =
        graph_.ArtefactAt(leaf.leaf_of, blueprint_.PointOfWhole(leaf, point));
    if (whole.has_value()) planned->set_leaf_of(graph_.ElementIdOf(*whole));
  }

  void WritePoint(const std::vector<int>& dimensions,
                  const std::vector<uint32_t>& point,
                  google::protobuf::RepeatedPtrField<v1::DimensionIndex>* out) {
    for (size_t i = 0; i < dimensions.size(); ++i) {
      v1::DimensionIndex& index = *out->Add();
      index.set_dimension(blueprint_.dimensions[dimensions[i]].name);
      index.set_index(point[i]);
    }
  }

  void WriteReused(int node, Graph::Job job) {
    v1::ReusedJob& reused = *plan_.add_reused();
    reused.set_job_id(graph_.JobIdOf(node, job));
    reused.set_node(blueprint_.nodes[node].name);
    reused.set_inputs_hash(state_.KeyOf(job)->Hex());
    for (Graph::Element element : graph_.Artefacts(node, job)) {
      // What the base has as well needs no event.
      if (state_.OriginOf(element) != ArtefactOrigin::kLog) continue;
      const LoggedResult& result =
          state_.log_values.find(element)->second.result;
      v1::ReusedArtefact& artefact = *reused.add_artefacts();
      artefact.set_artefact_id(graph_.ElementIdOf(element));
      artefact.set_sequence(result.sequence);
      *artefact.mutable_content() = result.content;
    }
  }

  // The artefacts of the base that a job to run reads.
  void NoteSources(int node, Graph::Job job) {
    const size_t bindings = blueprint_.nodes[node].bindings.size();
    for (size_t b = 0; b < bindings; ++b) {
      for (Graph::Element source : graph_.Sources(node, job, b)) {
        if (graph_.IsInput(source) ||
            state_.OriginOf(source) != ArtefactOrigin::kBase) {
          continue;
        }
        const uint32_t number = state_.NumberOf(source);
        if (!state_.in.summary_only) sources_.insert(source);
        relied_on_.AddBase(number);
      }
    }
  }

  void WriteSources() {
    std::map<std::string, uint32_t> sorted;
    for (Graph::Element source : sources_) {
      sorted[graph_.ElementIdOf(source)] = state_.NumberOf(source);
    }
    for (const auto& [id, number] : sorted) {
      v1::PlannedSource& source = *plan_.add_sources();
      source.set_artefact_id(id);
      *source.mutable_content() = state_.base.ContentOf(number);
      const Digest& key = state_.base.inputs_hash(number);
      if (key != Digest()) source.set_inputs_hash(key.Hex());
    }
  }

  void WriteSummary() {
    v1::PlanSummary& summary = *plan_.mutable_summary();
    auto count = [this](JobFate fate) {
      return counts_[static_cast<size_t>(fate)];
    };
    // Inactive jobs have nothing to make, as clean ones.
    const int64_t active = graph_.num_jobs() - graph_.num_inactive_jobs() -
                           graph_.num_deferred_jobs();
    summary.set_total_jobs(active);
    summary.set_inactive_jobs(graph_.num_inactive_jobs());
    summary.set_must_run_jobs(count(JobFate::kMustRun));
    summary.set_may_run_jobs(count(JobFate::kMayRun));
    summary.set_clean_jobs(active - static_cast<int64_t>(state_.dirty.size()));
    summary.set_reused_jobs(count(JobFate::kReused));
    const int64_t awaited = CountAwaited();
    summary.set_left_jobs(count(JobFate::kLeft) + graph_.num_deferred_jobs() -
                          awaited);
    summary.set_layers(layers_);
    summary.set_deferred_jobs(awaited);
    summary.set_deferred_nodes(static_cast<int64_t>(awaited_nodes_.size()));
    summary.set_known_failures(std::count_if(
        state_.last_failures.begin(), state_.last_failures.end(),
        [](const auto& last) { return !last.second.failure->retryable(); }));
    summary.set_removed_artefacts(removed_);
    for (const std::string& id : state_.changed_ids) {
      summary.add_changed_inputs(id);
    }
  }

  int64_t CountAwaited() const {
    int64_t awaited = 0;
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      if (!awaited_nodes_.contains(blueprint_.nodes[n].name)) continue;
      for (Graph::Job job = graph_.FirstJob(n); job < graph_.FirstJob(n + 1);
           ++job) {
        if (graph_.IsDeferred(job)) ++awaited;
      }
    }
    return awaited;
  }

  const PlanState& state_;
  const Graph& graph_;
  const Blueprint& blueprint_;
  std::set<std::string> deferred_nodes_;
  // Those that the scope waits for.
  std::vector<v1::DeferredGroup> deferred_;
  std::set<std::string> awaited_nodes_;
  v1::Plan plan_;
  std::map<std::string, v1::PlannedNode> nodes_;
  absl::flat_hash_set<Graph::Element> sources_;  // of the base
  ReliedOn relied_on_;
  std::map<int, ShapeChanges> shapes_;
  std::map<std::string, SwitchedOff> switched_off_;  // by node
  int64_t counts_[kJobFates] = {};                   // by JobFate
  int64_t removed_ = 0;
  uint32_t layers_ = 0;
};

}  // namespace

MadePlan WritePlan(const PlanState& state,
                   std::vector<DecidedArtefact> decided) {
  return PlanWriter(state).Write(std::move(decided));
}

}  // namespace kinora
