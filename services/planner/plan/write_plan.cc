// The part of MakePlan that writes the decisions down as a v1::Plan.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/ids.h"
#include "services/planner/plan/plan_state.h"

namespace kinora {
namespace {

class PlanWriter {
 public:
  explicit PlanWriter(const PlanState& state)
      : state_(state),
        graph_(state.graph),
        blueprint_(*state.in.blueprint),
        is_source_(state.graph.num_artefacts(), false) {}

  MadePlan Write() {
    WriteHead();
    WriteInputs();
    for (size_t node = 0; node < blueprint_.nodes.size(); ++node) {
      WriteNode(static_cast<int>(node));
    }
    for (auto& [name, node] : nodes_) {
      *plan_.add_nodes() = std::move(node);
    }
    WriteSources();
    WriteSummary();
    MadePlan made;
    made.plan = std::move(plan_);
    made.warnings = state_.warnings;
    for (auto& [hash, digest] : relied_on_) {
      made.relied_on.push_back(std::move(digest));
    }
    return made;
  }

 private:
  void WriteHead() {
    const PlanInputs& in = state_.in;
    plan_.set_format_version(1);
    plan_.set_movie_id(in.movie_id);
    Revision base;
    if (in.base != nullptr) {
      plan_.set_base_revision(in.base->revision());
      plan_.set_manifest_base_hash(in.base_hash);
      absl::StatusOr<Revision> parsed = Revision::Parse(in.base->revision());
      if (parsed.ok()) base = *parsed;
    }
    plan_.set_target_revision(base.Next().ToString());
    plan_.set_inputs_through_sequence(in.inputs_through_sequence);
    plan_.set_blueprint_hash(in.blueprint_hash);
    for (const std::string& id : state_.removed_artefact_ids) {
      plan_.add_removed_artefact_ids(id);
    }
  }

  void WriteInputs() {
    std::map<std::string, Graph::Element> sorted;
    for (Graph::Element e = 0; e < graph_.num_inputs(); ++e) {
      if (state_.values[e].content != nullptr) {
        sorted[graph_.ElementIdOf(e)] = e;
      }
    }
    for (const auto& [id, element] : sorted) {
      const ElementValue& value = state_.values[element];
      v1::PlannedInput& input = *plan_.add_inputs();
      input.set_input_id(id);
      *input.mutable_content() = *value.content;
      input.set_is_default(value.origin == Origin::kDefault);
      if (value.origin == Origin::kSet) RelyOn(*value.content);
    }
  }

  void WriteNode(int node) {
    Graph::Job end = graph_.FirstJob(node + 1);
    bool has_jobs = false;
    for (Graph::Job job = graph_.FirstJob(node); job < end; ++job) {
      JobFate fate = state_.fates[job];
      if (Runs(fate)) {
        WriteJob(node, job);
      } else {
        if (fate == JobFate::kReused) WriteReused(node, job);
        for (Graph::Element artefact : graph_.Artefacts(node, job)) {
          RelyOn(*state_.values[artefact].content);
        }
      }
      has_jobs = has_jobs || fate != JobFate::kClean;
      ++counts_[static_cast<size_t>(fate)];
    }
    if (has_jobs) DescribeNode(node);
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
    if (limits.concurrency != 0 || limits.max_attempts != 0 ||
        limits.attempt_timeout_seconds != 0) {
      planned.mutable_limits()->set_concurrency(limits.concurrency);
      planned.mutable_limits()->set_max_attempts(limits.max_attempts);
      planned.mutable_limits()->set_attempt_timeout_seconds(
          limits.attempt_timeout_seconds);
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
        if (state_.values[source].origin == Origin::kBase) {
          is_source_[source - graph_.num_inputs()] = true;
        }
      }
    }
    for (Graph::Element artefact : graph_.Artefacts(node, job)) {
      WriteArtefact(artefact, planned.add_artefacts());
    }
    *planned.mutable_reason() = ReasonFor(state_, node, job);
    planned.set_need(state_.fates[job] == JobFate::kMustRun
                         ? v1::JOB_NEED_MUST_RUN
                         : v1::JOB_NEED_MAY_RUN);
    if (state_.keys[job] != Digest()) {
      planned.set_inputs_hash(state_.keys[job].Hex());
    }
  }

  void WriteArtefact(Graph::Element artefact, v1::PlannedArtefact* planned) {
    const OutputDeclaration& output =
        blueprint_.outputs[graph_.OutputOf(artefact)];
    planned->set_artefact_id(graph_.ElementIdOf(artefact));
    planned->set_output(output.name);
    std::vector<uint32_t> point = graph_.ElementPoint(artefact);
    if (!output.readable.empty()) {
      planned->set_readable_path(output.readable.PathOf(point));
    }
    std::vector<uint32_t> own;
    for (size_t i = 0; i < point.size(); ++i) {
      if (std::count(output.own_over.begin(), output.own_over.end(),
                     output.dimensions[i]) != 0) {
        own.push_back(point[i]);
      }
    }
    WritePoint(output.own_over, own, planned->mutable_index());
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
    reused.set_inputs_hash(state_.keys[job].Hex());
    for (Graph::Element element : graph_.Artefacts(node, job)) {
      const ElementValue& value = state_.values[element];
      // What the base has as well needs no event.
      if (value.origin != Origin::kLog) continue;
      v1::ReusedArtefact& artefact = *reused.add_artefacts();
      artefact.set_artefact_id(graph_.ElementIdOf(element));
      artefact.set_sequence(value.sequence);
      *artefact.mutable_content() = *value.content;
    }
  }

  void WriteSources() {
    std::map<std::string, Graph::Element> sorted;
    for (size_t i = 0; i < is_source_.size(); ++i) {
      if (!is_source_[i]) continue;
      Graph::Element element = static_cast<uint32_t>(i) + graph_.num_inputs();
      sorted[graph_.ElementIdOf(element)] = element;
    }
    for (const auto& [id, element] : sorted) {
      v1::PlannedSource& source = *plan_.add_sources();
      source.set_artefact_id(id);
      *source.mutable_content() = *state_.values[element].content;
      source.set_inputs_hash(state_.BaseOf(element)->inputs_hash());
    }
  }

  void WriteSummary() {
    v1::PlanSummary& summary = *plan_.mutable_summary();
    auto count = [this](JobFate fate) {
      return counts_[static_cast<size_t>(fate)];
    };
    // Inactive jobs have nothing to make, as clean ones.
    int64_t inactive = graph_.num_inactive_jobs();
    summary.set_total_jobs(graph_.num_jobs() - inactive);
    summary.set_inactive_jobs(inactive);
    summary.set_must_run_jobs(count(JobFate::kMustRun));
    summary.set_may_run_jobs(count(JobFate::kMayRun));
    summary.set_clean_jobs(count(JobFate::kClean) - inactive);
    summary.set_reused_jobs(count(JobFate::kReused));
    summary.set_layers(plan_.layers_size());
    for (const std::string& id : state_.changed_inputs) {
      summary.add_changed_inputs(id);
    }
  }

  void RelyOn(const v1::Content& content) {
    if (!content.has_blob()) return;
    relied_on_.emplace(content.blob().digest().hash(), content.blob().digest());
  }

  const PlanState& state_;
  const Graph& graph_;
  const Blueprint& blueprint_;
  v1::Plan plan_;
  std::map<std::string, v1::PlannedNode> nodes_;
  std::vector<bool> is_source_;  // by artefact: of the base, read by a job
  std::map<std::string, v1::Digest> relied_on_;  // by hash
  int64_t counts_[4] = {};                       // by JobFate
};

}  // namespace

MadePlan WritePlan(const PlanState& state) { return PlanWriter(state).Write(); }

}  // namespace kinora
