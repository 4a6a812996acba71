#include "services/planner/plan/scope_names.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/element_id.h"
#include "common/status.h"
#include "services/planner/blueprint/suggest.h"
#include "services/planner/graph/element_walk.h"
#include "services/planner/plan/artefact_name.h"

namespace kinora {
namespace {

// Finds what one id stands for.
class IdReader {
 public:
  IdReader(absl::string_view field, const Graph& graph, bool may_be_gone)
      : field_(field),
        graph_(graph),
        blueprint_(graph.blueprint()),
        may_be_gone_(may_be_gone) {}

  absl::StatusOr<ScopeName> Read(const std::string& text) const {
    const absl::StatusOr<ElementId> parsed =
        ElementId::Parse(text, ElementId::Kind::kArtefact);
    if (!parsed.ok()) {
      return InvalidField(
          field_, text,
          absl::StrCat(parsed.status().message(), DimensionsAfter(text)));
    }
    if (parsed->kind != ElementId::Kind::kArtefact) {
      return InvalidField(field_, text, "must be an artefact");
    }
    const int output = blueprint_.FindOutput(parsed->name);
    if (output < 0) {
      return NoSuchArtefact(field_, text, blueprint_, parsed->name);
    }
    Reference all;
    all.target = output;
    const PointSpace& space = graph_.SpaceOfTarget(all);
    ScopeName name;
    name.id = parsed->ToString();
    name.output = output;
    if (parsed->indices.empty()) {
      AddAll(space, &name);
      return name;
    }
    const std::optional<Graph::Element> element = graph_.Find(*parsed);
    if (element.has_value()) {
      name.artefacts.found.push_back(*element);
      return name;
    }
    std::vector<ReferenceIndex> indices = Constants(space, *parsed);
    if (!indices.empty() && ElementWalk(space, {}, indices).MeetsUnknown({})) {
      name.artefacts.to_come.push_back({output, std::move(indices), name.id});
      return name;
    }
    if (may_be_gone_) return name;
    return InvalidField(
        field_, text,
        absl::StrCat("there is no such artefact: ", WhyNone(space, *parsed)));
  }

 private:
  void AddAll(const PointSpace& space, ScopeName* name) const {
    const int output = name->output;
    name->artefacts.whole.push_back(output);
    const Graph::Element end =
        graph_.FirstArtefact(static_cast<size_t>(output) + 1);
    for (Graph::Element element =
             graph_.FirstArtefact(static_cast<size_t>(output));
         element < end; ++element) {
      (graph_.Exists(element) ? name->artefacts.found
                              : name->artefacts.switched_off)
          .push_back(element);
    }
    const NodeDeclaration& node =
        blueprint_.nodes[blueprint_.outputs[output].node];
    if (space.HasUnknown()) {
      name->artefacts.to_come.push_back({output, {}, name->id});
    }
    name->is_open = name->IsIdle() || IsSizedByArtefacts(space) ||
                    IsSwitchedByArtefacts(node);
  }

  bool IsSizedByArtefacts(const PointSpace& space) const {
    return std::any_of(space.dimensions().begin(), space.dimensions().end(),
                       [this](int dimension) {
                         return blueprint_.dimensions[dimension].size_output >=
                                0;
                       });
  }

  // Empty if the id has not the dimensions of the space.
  std::vector<ReferenceIndex> Constants(const PointSpace& space,
                                        const ElementId& id) const {
    std::vector<ReferenceIndex> constants;
    if (!HasDimensions(space, id)) return constants;
    for (const DimensionIndex& given : id.indices) {
      ReferenceIndex& index = constants.emplace_back();
      index.is_constant = true;
      index.constant = given.index;
    }
    return constants;
  }

  bool HasDimensions(const PointSpace& space, const ElementId& id) const {
    return std::equal(id.indices.begin(), id.indices.end(),
                      space.dimensions().begin(), space.dimensions().end(),
                      [this](const DimensionIndex& given, int dimension) {
                        return given.dimension ==
                               blueprint_.dimensions[dimension].name;
                      });
  }

  std::string WhyNone(const PointSpace& space, const ElementId& id) const {
    if (!HasDimensions(space, id)) return DimensionsOf(space, id);
    uint32_t prefix = 0;
    std::string where;
    for (size_t level = 0; level < space.depth(); ++level) {
      const DimensionIndex& given = id.indices[level];
      const uint32_t size = space.SizeAt(level, prefix);
      if (given.index >= size) {
        return CountOf(given.dimension, size,
                       space.IsUniform(level) ? "" : where);
      }
      prefix = space.Child(level, prefix, given.index);
      absl::StrAppend(&where, where.empty() ? " at " : ", ", given.dimension,
                      "=", given.index);
    }
    return "a condition switches its job off";
  }

  // For an id that cannot be read, such as `Image[0]`.
  std::string DimensionsAfter(absl::string_view text) const {
    absl::ConsumePrefix(&text, "Artifact:");
    ElementId id;
    id.name = std::string(text.substr(0, text.find('[')));
    Reference all;
    all.target = blueprint_.FindOutput(id.name);
    if (all.target < 0) return "";
    return absl::StrCat("; ", DimensionsOf(graph_.SpaceOfTarget(all), id));
  }

  std::string DimensionsOf(const PointSpace& space, const ElementId& id) const {
    if (space.depth() == 0) {
      return absl::StrCat(id.name, " has no dimensions, so no indices");
    }
    std::vector<absl::string_view> names;
    std::string dimensions;
    std::string example = id.name;
    for (int dimension : space.dimensions()) {
      names.push_back(blueprint_.dimensions[dimension].name);
      absl::StrAppend(&dimensions, "[", names.back(), "]");
      absl::StrAppend(&example, "[", names.back(), "=0]");
    }
    std::string hint;
    for (const DimensionIndex& given : id.indices) {
      if (std::count(names.begin(), names.end(), given.dimension) == 0) {
        hint = DidYouMean(given.dimension, names);
      }
    }
    return absl::StrCat(id.name, " has the dimensions ", dimensions,
                        ", in this order, as in ", example, hint);
  }

  const absl::string_view field_;
  const Graph& graph_;
  const Blueprint& blueprint_;
  const bool may_be_gone_;
};

int NodeOf(const Graph& graph, const NamedArtefacts::ToCome& artefact) {
  return graph.blueprint().outputs[artefact.output].node;
}

// The index of what is to come in a dimension of its node; nullopt for all.
std::optional<uint32_t> IndexIn(const Graph& graph, int dimension,
                                const NamedArtefacts::ToCome& artefact) {
  const std::vector<int>& dimensions =
      graph.blueprint().outputs[artefact.output].dimensions;
  for (size_t i = 0; i < artefact.indices.size(); ++i) {
    if (dimensions[i] == dimension) return artefact.indices[i].constant;
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::vector<ScopeName>> NamesOf(absl::string_view field,
                                               const ScopeIds& ids,
                                               const Graph& graph,
                                               bool may_be_gone) {
  const IdReader reader(field, graph, may_be_gone);
  std::map<std::string, ScopeName> by_id;
  for (const std::string& id : ids) {
    KINORA_ASSIGN_OR_RETURN(ScopeName name, reader.Read(id));
    std::string key = name.id;
    by_id.emplace(std::move(key), std::move(name));
  }
  std::vector<ScopeName> names;
  for (auto& [id, name] : by_id) names.push_back(std::move(name));
  return names;
}

NamedArtefacts Together(const std::vector<ScopeName>& names) {
  NamedArtefacts all;
  const auto add = [](const std::vector<Graph::Element>& more,
                      std::vector<Graph::Element>* elements) {
    elements->insert(elements->end(), more.begin(), more.end());
  };
  for (const ScopeName& name : names) {
    add(name.artefacts.found, &all.found);
    add(name.artefacts.switched_off, &all.switched_off);
    all.whole.insert(all.whole.end(), name.artefacts.whole.begin(),
                     name.artefacts.whole.end());
    all.to_come.insert(all.to_come.end(), name.artefacts.to_come.begin(),
                       name.artefacts.to_come.end());
  }
  for (std::vector<Graph::Element>* elements :
       {&all.found, &all.switched_off}) {
    std::sort(elements->begin(), elements->end());
    elements->erase(std::unique(elements->begin(), elements->end()),
                    elements->end());
  }
  return all;
}

void AppendFullIds(const Graph& graph, const std::vector<ScopeName>& names,
                   ScopeIds* full) {
  std::vector<ScopeName> closed;
  for (const ScopeName& name : names) {
    if (name.is_open) {
      *full->Add() = name.id;
    } else {
      closed.push_back(name);
    }
  }
  // Also of an output of which all is meant: a pin of one artefact is stricter.
  const NamedArtefacts all = Together(closed);
  for (Graph::Element element : all.found) {
    *full->Add() = graph.ElementIdOf(element);
  }
  for (const NamedArtefacts::ToCome& artefact : all.to_come) {
    *full->Add() = artefact.id;
  }
}

bool MayMake(const Graph& graph, Graph::Job job,
             const NamedArtefacts::ToCome& artefact) {
  const int node = NodeOf(graph, artefact);
  if (graph.NodeOf(job) != node) return false;
  const std::vector<int>& over = graph.blueprint().nodes[node].over;
  const std::vector<uint32_t> point = graph.JobPoint(node, job);
  for (size_t i = 0; i < over.size(); ++i) {
    const std::optional<uint32_t> index = IndexIn(graph, over[i], artefact);
    if (index.has_value() && *index != point[i]) return false;
  }
  return true;
}

bool MayShareJob(const Graph& graph, const NamedArtefacts::ToCome& a,
                 const NamedArtefacts::ToCome& b) {
  const int node = NodeOf(graph, a);
  if (NodeOf(graph, b) != node) return false;
  for (int dimension : graph.blueprint().nodes[node].over) {
    const std::optional<uint32_t> in_a = IndexIn(graph, dimension, a);
    const std::optional<uint32_t> in_b = IndexIn(graph, dimension, b);
    if (in_a.has_value() && in_b.has_value() && *in_a != *in_b) return false;
  }
  return true;
}

std::string CountOf(absl::string_view dimension, uint32_t size,
                    absl::string_view where) {
  if (size == 0) return absl::StrCat(dimension, " has no elements", where);
  return absl::StrCat(dimension, " has ", size,
                      size == 1 ? " element" : " elements", where,
                      ", counted from 0");
}

}  // namespace kinora
