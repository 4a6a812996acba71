#include "services/planner/plan/scope.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
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
  absl::Status TakeOnly() {
    if (given_.only().empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(
        scope_.targets, NamesOf("scope.only", given_.only(), graph_, false));
    AppendFullIds(graph_, scope_.targets, scope_.controls.mutable_only());
    KINORA_RETURN_IF_ERROR(CheckTargetsAreThere());
    const NamedArtefacts targets = Together(scope_.targets);
    scope_.restricts = true;
    scope_.included = LineageOf(graph_, targets).jobs;
    scope_.awaited = NodesBehind(graph_, targets);
    return absl::OkStatus();
  }

  // A name may stand for none. One artefact that was asked for may not:
  // NamesOf() sees to those with indices.
  absl::Status CheckTargetsAreThere() const {
    for (const ScopeName& target : scope_.targets) {
      if (!target.IsIdle() ||
          !blueprint_.outputs[target.output].dimensions.empty()) {
        continue;
      }
      return InvalidField("scope.only", target.id,
                          "there is no such artefact: a condition switches its "
                          "job off");
    }
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
    return is_expansion_ ? absl::OkStatus() : CheckTargetsAreNotBefore();
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
    scope_.first_indices.push_back({dimension, from.index()});
    bool any = false;
    bool any_node = false;
    for (size_t n = 0; n < blueprint_.nodes.size(); ++n) {
      const std::vector<int>& over = blueprint_.nodes[n].over;
      for (size_t i = 0; i < over.size(); ++i) {
        if (over[i] != dimension) continue;
        any_node = true;
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
    return InvalidField(
        "scope.from_index", absl::StrCat(from.dimension(), "=", from.index()),
        any_node ? absl::StrCat("no job has an index as high as that: ",
                                LargestCountOf(dimension))
                 : "no node is over the dimension, so it leaves nothing alone");
  }

  std::string LargestCountOf(int dimension) const {
    const DimensionExtent& extent = graph_.shape().extents[dimension];
    uint32_t size = extent.size;
    if (extent.is_ragged) {
      size = extent.sizes.empty()
                 ? 0
                 : *std::max_element(extent.sizes.begin(), extent.sizes.end());
    }
    return CountOf(blueprint_.dimensions[dimension].name, size,
                   extent.is_ragged ? " at most" : "");
  }

  // To make a target and to leave it alone. One of which some part is left is
  // all right.
  absl::Status CheckTargetsAreNotBefore() const {
    for (const ScopeName& target : scope_.targets) {
      if (target.IsIdle()) continue;
      const NodeDeclaration& node =
          blueprint_.nodes[blueprint_.outputs[target.output].node];
      for (const JobScope::FirstIndex& first : scope_.first_indices) {
        if (!IsBefore(first, node, target)) continue;
        return ScopeContradiction(
            "scope.from_index",
            absl::StrCat("scope.only: ", target.id,
                         " is to be made, and scope.from_index leaves what is "
                         "before ",
                         blueprint_.dimensions[first.dimension].name, "=",
                         first.index, " alone"));
      }
    }
    return absl::OkStatus();
  }

  bool IsBefore(const JobScope::FirstIndex& first, const NodeDeclaration& node,
                const ScopeName& target) const {
    const auto over =
        std::find(node.over.begin(), node.over.end(), first.dimension);
    if (over == node.over.end()) return false;
    const size_t place = static_cast<size_t>(over - node.over.begin());
    for (Graph::Element artefact : target.artefacts.found) {
      const Graph::Job job = graph_.MakerOf(artefact);
      if (graph_.JobPoint(graph_.NodeOf(job), job)[place] >= first.index) {
        return false;
      }
    }
    const std::vector<int>& dimensions =
        blueprint_.outputs[target.output].dimensions;
    for (const NamedArtefacts::ToCome& artefact : target.artefacts.to_come) {
      if (artefact.indices.empty()) return false;
      for (size_t i = 0; i < dimensions.size(); ++i) {
        if (dimensions[i] == first.dimension &&
            artefact.indices[i].constant >= first.index) {
          return false;
        }
      }
    }
    return true;
  }

  absl::Status TakeForced() {
    if (given_.regenerate().empty()) return absl::OkStatus();
    KINORA_ASSIGN_OR_RETURN(scope_.regenerated,
                            NamesOf("scope.regenerate", given_.regenerate(),
                                    graph_, is_expansion_));
    AppendFullIds(graph_, scope_.regenerated,
                  scope_.controls.mutable_regenerate());
    const NamedArtefacts artefacts = Together(scope_.regenerated);
    scope_.controls.set_with_lineage(given_.with_lineage());
    for (Graph::Element artefact : artefacts.found) {
      scope_.forced.emplace(graph_.MakerOf(artefact), artefact);
    }
    if (!given_.with_lineage()) return absl::OkStatus();
    const Lineage lineage = is_expansion_ ? LineageAheadOf(graph_, artefacts)
                                          : LineageOf(graph_, artefacts);
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
        scope_.kept, NamesOf("scope.pin", given_.pin(), graph_, is_expansion_));
    AppendFullIds(graph_, scope_.kept, scope_.controls.mutable_pin());
    const NamedArtefacts artefacts = Together(scope_.kept);
    for (Graph::Element artefact : artefacts.found) {
      const Graph::Job job = graph_.MakerOf(artefact);
      scope_.pinned.emplace(job, artefact);
      const auto forced = scope_.forced.find(job);
      if (forced == scope_.forced.end()) continue;
      return ScopeContradiction(
          "scope.pin",
          absl::StrCat("scope.pin: ", graph_.ElementIdOf(artefact),
                       " is to be kept, and scope.regenerate asks to make ",
                       graph_.ElementIdOf(forced->second),
                       " anew; both are of job ",
                       graph_.JobIdOf(graph_.NodeOf(job), job)));
    }
    return is_expansion_ ? absl::OkStatus() : CheckWhatIsToCome(artefacts);
  }

  // Of what is to come it is not known whether it will be clean, so nothing
  // else may be asked of what is to be kept.
  absl::Status CheckWhatIsToCome(const NamedArtefacts& pinned) const {
    KINORA_RETURN_IF_ERROR(CheckAgainst(pinned, Together(scope_.targets),
                                        "scope.only asks to make "));
    return CheckAgainst(pinned, Together(scope_.regenerated),
                        "scope.regenerate asks to make anew ");
  }

  absl::Status CheckAgainst(const NamedArtefacts& pinned,
                            const NamedArtefacts& made,
                            absl::string_view asks) const {
    for (const NamedArtefacts::ToCome& kept : pinned.to_come) {
      for (const NamedArtefacts::ToCome& other : made.to_come) {
        if (MayShareJob(graph_, kept, other)) {
          return BothToCome(kept.id, asks, other.id);
        }
      }
      for (Graph::Element artefact : made.found) {
        if (MayAlsoMake(artefact, kept)) {
          return BothToCome(kept.id, asks, graph_.ElementIdOf(artefact));
        }
      }
    }
    for (const NamedArtefacts::ToCome& other : made.to_come) {
      for (Graph::Element artefact : pinned.found) {
        if (MayAlsoMake(artefact, other)) {
          return BothToCome(graph_.ElementIdOf(artefact), asks, other.id);
        }
      }
    }
    return absl::OkStatus();
  }

  // Whoever makes something that is to come is deferred.
  bool MayAlsoMake(Graph::Element artefact,
                   const NamedArtefacts::ToCome& other) const {
    const Graph::Job job = graph_.MakerOf(artefact);
    return graph_.IsDeferred(job) && MayMake(graph_, job, other);
  }

  static absl::Status BothToCome(absl::string_view kept, absl::string_view asks,
                                 absl::string_view made) {
    return ScopeContradiction(
        "scope.pin",
        absl::StrCat("scope.pin: ", kept, " is to be kept, and ", asks, made,
                     "; what becomes of their job is known only during the "
                     "run"));
  }

  const v1::PlanScope& given_;
  const Graph& graph_;
  const Blueprint& blueprint_;
  const bool is_expansion_;
  JobScope scope_;
};

}  // namespace

absl::Status ScopeContradiction(absl::string_view field,
                                absl::string_view message) {
  return WithReason(absl::InvalidArgumentError(message), "SCOPE_CONTRADICTION",
                    {{"field", field}});
}

absl::StatusOr<JobScope> ResolveScope(const v1::PlanScope& scope,
                                      const Graph& graph, bool is_expansion) {
  return ScopeResolver(scope, graph, is_expansion).Resolve();
}

}  // namespace kinora
