#include "services/planner/plan/scope.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

#include "common/element_id.h"
#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/graph/element_walk.h"
#include "services/planner/plan/artefact_name.h"
#include "services/planner/plan/lineage.h"

namespace kinora {
namespace {

class ScopeResolver {
 public:
  ScopeResolver(const v1::PlanScope& scope, const Graph& graph,
                bool is_expansion)
      : given_(scope),
        graph_(graph),
        blueprint_(graph.blueprint()),
        is_expansion_(is_expansion) {}

  absl::StatusOr<JobScope> Resolve() {
    if (given_.with_lineage() && given_.regenerate().empty()) {
      return InvalidField("scope.with_lineage", "true",
                          "is of no use without scope.regenerate");
    }
    KINORA_RETURN_IF_ERROR(TakeOnly());
    KINORA_RETURN_IF_ERROR(TakeFromIndices());
    KINORA_RETURN_IF_ERROR(TakeForced());
    KINORA_RETURN_IF_ERROR(TakePinned());
    scope_.up_to_layer = given_.up_to_layer();
    scope_.controls.set_up_to_layer(given_.up_to_layer());
    return std::move(scope_);
  }

 private:
  using Ids = google::protobuf::RepeatedPtrField<std::string>;

  // What a control names so far.
  struct Names {
    std::set<Graph::Element> found;
    std::set<Graph::Element> switched_off;
    std::map<std::string, NamedArtefacts::ToCome> to_come;
    // Outputs named as a whole that may get or lose artefacts, by full name.
    std::map<std::string, int> open;
  };

  // The artefacts that a control names; a name without indices stands for all.
  // Puts into `full` what names the same once more is known.
  absl::StatusOr<NamedArtefacts> Named(absl::string_view field, const Ids& ids,
                                       Ids* full) {
    Names names;
    for (const std::string& id : ids) {
      KINORA_RETURN_IF_ERROR(AddNamed(field, id, &names));
    }
    NamedArtefacts named;
    named.found.assign(names.found.begin(), names.found.end());
    named.switched_off.assign(names.switched_off.begin(),
                              names.switched_off.end());
    std::set<int> open;
    for (const auto& [name, output] : names.open) {
      *full->Add() = name;
      open.insert(output);
    }
    for (Graph::Element element : named.found) {
      if (open.contains(graph_.OutputOf(element))) continue;
      *full->Add() = graph_.ElementIdOf(element);
    }
    for (auto& [id, artefact] : names.to_come) {
      if (!open.contains(artefact.output)) *full->Add() = id;
      named.to_come.push_back(std::move(artefact));
    }
    return named;
  }

  // False if values of artefacts have no say in which artefacts it has.
  bool IsOpen(int output, const PointSpace& space) const {
    const NodeDeclaration& node =
        blueprint_.nodes[blueprint_.outputs[output].node];
    return space.HasUnknown() || IsSwitchedByArtefacts(node);
  }

  absl::Status AddNamed(absl::string_view field, const std::string& id,
                        Names* names) {
    const absl::StatusOr<ElementId> parsed =
        ElementId::Parse(id, ElementId::Kind::kArtefact);
    if (!parsed.ok()) {
      return InvalidField(field, id, parsed.status().message());
    }
    if (parsed->kind != ElementId::Kind::kArtefact) {
      return InvalidField(field, id, "must be an artefact");
    }
    const int output = blueprint_.FindOutput(parsed->name);
    if (output < 0) {
      return NoSuchArtefact(field, id, blueprint_, parsed->name);
    }
    Reference all;
    all.target = output;
    const PointSpace& space = graph_.SpaceOfTarget(all);
    if (parsed->indices.empty()) {
      const Graph::Element end =
          graph_.FirstArtefact(static_cast<size_t>(output) + 1);
      for (Graph::Element element =
               graph_.FirstArtefact(static_cast<size_t>(output));
           element < end; ++element) {
        (graph_.Exists(element) ? names->found : names->switched_off)
            .insert(element);
      }
      const std::string name = parsed->ToString();
      if (IsOpen(output, space)) names->open.insert({name, output});
      if (space.HasUnknown()) names->to_come.insert({name, {output, {}, name}});
      return absl::OkStatus();
    }
    const std::optional<Graph::Element> element = graph_.Find(*parsed);
    if (element.has_value()) {
      names->found.insert(*element);
      return absl::OkStatus();
    }
    const std::vector<ReferenceIndex> indices = Constants(space, *parsed);
    if (!indices.empty() && ElementWalk(space, {}, indices).MeetsUnknown({})) {
      const std::string name = parsed->ToString();
      names->to_come.insert({name, {output, indices, name}});
      return absl::OkStatus();
    }
    if (is_expansion_ && field == "scope.pin") return absl::OkStatus();
    return InvalidField(field, id,
                        "there is no such artefact at the sizes of the "
                        "dimensions, or a condition switches its job off");
  }

  // Empty if the id has not the dimensions of the space.
  std::vector<ReferenceIndex> Constants(const PointSpace& space,
                                        const ElementId& id) const {
    std::vector<ReferenceIndex> constants;
    if (id.indices.size() != space.depth()) return constants;
    for (size_t level = 0; level < space.depth(); ++level) {
      const DimensionDeclaration& dimension =
          blueprint_.dimensions[space.dimensions()[level]];
      if (id.indices[level].dimension != dimension.name) return {};
      ReferenceIndex& index = constants.emplace_back();
      index.is_constant = true;
      index.constant = id.indices[level].index;
    }
    return constants;
  }

  absl::Status TakeOnly() {
    if (given_.only().empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(
        const NamedArtefacts targets,
        Named("scope.only", given_.only(), scope_.controls.mutable_only()));
    scope_.restricts = true;
    scope_.included = LineageOf(graph_, targets).jobs;
    scope_.awaited = NodesBehind(graph_, targets);
    return absl::OkStatus();
  }

  absl::Status TakeFromIndices() {
    std::map<std::string, uint32_t> from;
    for (const v1::DimensionIndex& index : given_.from_index()) {
      KINORA_RETURN_IF_ERROR(LeaveBefore(index));
      if (!from.emplace(index.dimension(), index.index()).second) {
        return InvalidField("scope.from_index", index.dimension(),
                            "the dimension is given twice");
      }
    }
    for (const auto& [dimension, index] : from) {
      v1::DimensionIndex& kept = *scope_.controls.add_from_index();
      kept.set_dimension(dimension);
      kept.set_index(index);
    }
    return absl::OkStatus();
  }

  absl::Status LeaveBefore(const v1::DimensionIndex& from) {
    int dimension = -1;
    std::vector<absl::string_view> names;
    for (size_t d = 0; d < blueprint_.dimensions.size(); ++d) {
      names.push_back(blueprint_.dimensions[d].name);
      if (names.back() == from.dimension()) dimension = static_cast<int>(d);
    }
    if (dimension < 0) {
      return InvalidField(
          "scope.from_index", from.dimension(),
          absl::StrCat("blueprint ", blueprint_.name, " has no such dimension",
                       DidYouMean(from.dimension(), names)));
    }
    if (!scope_.restricts) {
      scope_.restricts = true;
      scope_.included = JobSet(graph_.num_jobs()).Complement();
    }
    bool any = false;
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      const std::vector<int>& over = blueprint_.nodes[n].over;
      for (size_t i = 0; i < over.size(); ++i) {
        if (over[i] != dimension) continue;
        const int node = static_cast<int>(n);
        any = any || graph_.SpaceOfNode(node).HasUnknown();
        for (Graph::Job job = graph_.FirstJob(n); job < graph_.FirstJob(n + 1);
             ++job) {
          if (graph_.JobPoint(node, job)[i] >= from.index()) {
            any = true;
          } else {
            scope_.included.Remove(job);
          }
        }
      }
    }
    if (any) return absl::OkStatus();
    return InvalidField("scope.from_index",
                        absl::StrCat(from.dimension(), "=", from.index()),
                        "no job has an index as high as that");
  }

  absl::Status TakeForced() {
    if (given_.regenerate().empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(const NamedArtefacts artefacts,
                            Named("scope.regenerate", given_.regenerate(),
                                  scope_.controls.mutable_regenerate()));
    scope_.controls.set_with_lineage(given_.with_lineage());
    for (Graph::Element artefact : artefacts.found) {
      scope_.forced.emplace(graph_.MakerOf(artefact), artefact);
    }
    if (!given_.with_lineage()) return absl::OkStatus();
    const Lineage lineage = LineageOf(graph_, artefacts);
    if (!lineage.open_end.empty()) {
      scope_.open_lineage = lineage.open_end;
      scope_.lineage_nodes = NodesBehind(graph_, artefacts);
    }
    for (Graph::Job job = lineage.jobs.Next(0, graph_.num_jobs());
         job < graph_.num_jobs();
         job = lineage.jobs.Next(job + 1, graph_.num_jobs())) {
      scope_.forced.emplace(job,
                            graph_.Artefacts(graph_.NodeOf(job), job).front());
    }
    return absl::OkStatus();
  }

  absl::Status TakePinned() {
    KINORA_ASSIGN_OR_RETURN(
        const NamedArtefacts artefacts,
        Named("scope.pin", given_.pin(), scope_.controls.mutable_pin()));
    for (Graph::Element artefact : artefacts.found) {
      const Graph::Job job = graph_.MakerOf(artefact);
      scope_.pinned.emplace(job, artefact);
      const auto forced = scope_.forced.find(job);
      if (forced == scope_.forced.end()) continue;
      return WithReason(
          absl::InvalidArgumentError(absl::StrCat(
              "scope.pin: ", graph_.ElementIdOf(artefact),
              " is to be kept, and scope.regenerate asks to make ",
              graph_.ElementIdOf(forced->second), " anew; both are of job ",
              graph_.JobIdOf(graph_.NodeOf(job), job))),
          "SCOPE_CONTRADICTION", {{"field", "scope.pin"}});
    }
    return absl::OkStatus();
  }

  const v1::PlanScope& given_;
  const Graph& graph_;
  const Blueprint& blueprint_;
  const bool is_expansion_;
  JobScope scope_;
};

}  // namespace

absl::StatusOr<JobScope> ResolveScope(const v1::PlanScope& scope,
                                      const Graph& graph, bool is_expansion) {
  return ScopeResolver(scope, graph, is_expansion).Resolve();
}

}  // namespace kinora
