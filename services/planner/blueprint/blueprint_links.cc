// The part of the parser that resolves what nodes read from where.

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/ids.h"
#include "common/status.h"
#include "services/planner/blueprint/blueprint_parser.h"
#include "services/planner/blueprint/suggest.h"

namespace kinora {

absl::Status BlueprintParser::ParseBindings() {
  const YamlNode& nodes = *root_.Find("nodes");
  for (size_t i = 0; i < nodes.entries.size(); ++i) {
    const YamlNode* inputs = nodes.entries[i].value->Find("inputs");
    if (inputs == nullptr) continue;
    NodeDeclaration& node = blueprint_.nodes[i];
    std::string path = absl::StrCat("nodes.", node.name, ".inputs");
    KINORA_RETURN_IF_ERROR(CheckDeclarations(*inputs, path));
    for (const YamlEntry& entry : inputs->entries) {
      Binding binding;
      KINORA_RETURN_IF_ERROR(ParseBinding(
          entry, absl::StrCat(path, ".", entry.key), node, &binding));
      node.bindings.push_back(std::move(binding));
    }
    std::sort(
        node.bindings.begin(), node.bindings.end(),
        [](const Binding& a, const Binding& b) { return a.name < b.name; });
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::ParseBinding(const YamlEntry& entry,
                                           const std::string& path,
                                           const NodeDeclaration& node,
                                           Binding* binding) {
  binding->name = entry.key;
  const YamlNode* value = entry.value;
  const YamlNode* map = nullptr;
  const YamlNode* fallback = nullptr;
  if (value->kind == YamlNode::Kind::kMap) {
    map = value;
    binding->is_list = map->Find("from") == nullptr;
    if (binding->is_list) {
      KINORA_RETURN_IF_ERROR(ExpectMap(*map, path, {"all", "group", "order"}));
    } else {
      KINORA_RETURN_IF_ERROR(ExpectMap(*map, path, {"from", "else"}));
      fallback = map->Find("else");
    }
    value = map->Find(binding->is_list ? "all" : "from");
    if (value == nullptr) {
      return Error(entry.line, path, "a fan-in is {all: \"NAME[dimension]\"}");
    }
  }
  binding->line = value->line;
  KINORA_ASSIGN_OR_RETURN(
      binding->from, ParseReferenceAt(*value, path, node, binding->is_list));
  if (binding->is_list) return ParseListOrder(*map, path, node, binding);
  if (fallback == nullptr) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(
      binding->fallback,
      ParseReferenceAt(*fallback, absl::StrCat(path, ".else"), node, false));
  return absl::OkStatus();
}

absl::StatusOr<Reference> BlueprintParser::ParseReferenceAt(
    const YamlNode& value, const std::string& path, const NodeDeclaration& node,
    bool is_list) {
  reading_ = &value;
  KINORA_ASSIGN_OR_RETURN(std::string text, Text(value, path));
  absl::StatusOr<SpelledReference> spelled = ParseReference(text);
  if (!spelled.ok()) {
    return Error(value.line, path, spelled.status().message());
  }
  Reference reference;
  KINORA_RETURN_IF_ERROR(ResolveTarget(*spelled, value.line, path, &reference));
  KINORA_RETURN_IF_ERROR(
      ResolveIndices(*spelled, value.line, path, node, is_list, &reference));
  reading_ = nullptr;
  return reference;
}

absl::Status BlueprintParser::ResolveTarget(const SpelledReference& spelled,
                                            int line, const std::string& path,
                                            Reference* reference) {
  reference->is_input = spelled.is_input;
  const std::string& name = spelled.name;
  const auto& ids = spelled.is_input ? input_ids_ : output_ids_;
  auto found = ids.find(name);
  if (found != ids.end()) {
    reference->target = found->second;
    return absl::OkStatus();
  }
  std::string hint;
  if (!spelled.is_input && input_ids_.contains(name)) {
    hint = absl::StrCat("; did you mean \"Input:", name, "\"?");
  } else if (spelled.is_input && output_ids_.contains(name)) {
    hint = absl::StrCat("; did you mean \"", name, "\", the artefact?");
  } else {
    hint = DidYouMean(name, spelled.is_input ? InputNames() : OutputNames());
  }
  return Error(line, path,
               absl::StrCat("unknown ", spelled.is_input ? "input" : "artefact",
                            " \"", ClipValue(name), "\"", hint));
}

absl::Status BlueprintParser::ResolveIndices(const SpelledReference& spelled,
                                             int line, const std::string& path,
                                             const NodeDeclaration& node,
                                             bool is_list,
                                             Reference* reference) {
  const std::vector<int>& dimensions = blueprint_.DimensionsOf(*reference);
  std::string name =
      absl::StrCat(reference->is_input ? "Input:" : "", spelled.name);
  auto error = [&](absl::string_view what) {
    return Error(line, path, absl::StrCat("\"", name, "\" ", what));
  };
  if (spelled.indices.size() != dimensions.size()) {
    if (dimensions.empty()) return error("has no dimensions, so no indices");
    return error(absl::StrCat("has the dimensions ", Spell(dimensions),
                              ", so write \"", name, Spell(dimensions), "\"",
                              is_list ? "" : " or a fan-in"));
  }
  bool ranges = false;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    const DimensionDeclaration& dimension =
        blueprint_.dimensions[dimensions[i]];
    const SpelledIndex& index = spelled.indices[i];
    if (!index.dimension.empty() && index.dimension != dimension.name) {
      return error(absl::StrCat(dimension_ids_.contains(index.dimension)
                                    ? "is not over dimension \""
                                    : "names the unknown dimension \"",
                                ClipValue(index.dimension), "\" in place ",
                                i + 1, "; it has the dimensions ",
                                Spell(dimensions)));
    }
    bool is_own =
        std::count(node.over.begin(), node.over.end(), dimensions[i]) != 0;
    if (index.is_constant) {
      KINORA_RETURN_IF_ERROR(
          CheckConstant(dimension, index.constant, name, line, path));
    } else if (index.offset != 0 && !is_own) {
      return error(absl::StrCat("has an offset in ", dimension.name,
                                ", but node ", node.name,
                                " is not over it, so there is no index to "
                                "count from"));
    } else if (!is_own && !is_list) {
      return error(absl::StrCat(
          "is over ", dimension.name, ", but node ", node.name,
          " is not: take one as [0], all as {all: \"", name, Spell(dimensions),
          "\"}, or add over: [", dimension.name, "]"));
    } else if (!is_own) {
      ranges = true;
    }
    reference->indices.push_back(
        {index.is_constant, index.constant, index.offset});
  }
  if (is_list && !ranges) {
    return error(
        absl::StrCat("runs through no dimension: it has none that node ",
                     node.name, " is not over, so it is no fan-in"));
  }
  return absl::OkStatus();
}

absl::Status BlueprintParser::CheckConstant(
    const DimensionDeclaration& dimension, uint32_t constant,
    absl::string_view spelled, int line, absl::string_view path) const {
  bool is_known = dimension.size_input < 0 && dimension.size_output < 0;
  uint32_t size = is_known ? dimension.size : kMaxDimensionSize;
  if (constant < size) return absl::OkStatus();
  return Error(line, path,
               absl::StrCat("\"", spelled, "\" has no index ", constant,
                            ": dimension ", dimension.name, " has size ", size,
                            is_known ? "" : " at most"));
}

absl::Status BlueprintParser::ParseListOrder(const YamlNode& map,
                                             const std::string& path,
                                             const NodeDeclaration& node,
                                             Binding* binding) {
  const std::vector<int>& dimensions = blueprint_.DimensionsOf(binding->from);
  std::vector<size_t> ranges = Ranges(node, binding->from);
  // The place of a dimension that the fan-in runs through.
  auto place = [&](const YamlNode& item, absl::string_view name,
                   const std::string& here) -> absl::StatusOr<size_t> {
    std::vector<absl::string_view> names;
    for (size_t range : ranges) {
      names.push_back(blueprint_.dimensions[dimensions[range]].name);
      if (names.back() == name) return range;
    }
    return Error(item.line, here,
                 absl::StrCat("the fan-in does not run through \"",
                              ClipValue(name), "\"", DidYouMean(name, names)));
  };
  std::vector<ListOrder> order;
  if (const YamlNode* list = map.Find("order")) {
    std::string here = absl::StrCat(path, ".order");
    if (list->kind != YamlNode::Kind::kList) {
      return Error(list->line, here,
                   absl::StrCat("must be a list of dimensions, the slowest "
                                "first, such as [segment, -image], got ",
                                YamlKindName(list->kind)));
    }
    for (const YamlNode* item : list->items) {
      KINORA_ASSIGN_OR_RETURN(std::string text, Text(*item, here));
      absl::string_view name = text;
      ListOrder step;
      step.descending = absl::ConsumePrefix(&name, "-");
      KINORA_ASSIGN_OR_RETURN(step.place, place(*item, name, here));
      for (const ListOrder& earlier : order) {
        if (earlier.place != step.place) continue;
        return Error(item->line, here,
                     absl::StrCat("\"", name, "\" stands there twice"));
      }
      order.push_back(step);
    }
  }
  if (const YamlNode* group = map.Find("group")) {
    std::string here = absl::StrCat(path, ".group");
    KINORA_ASSIGN_OR_RETURN(std::string name, Text(*group, here));
    KINORA_ASSIGN_OR_RETURN(size_t at, place(*group, name, here));
    binding->group = dimensions[at];
    if (order.empty()) {
      order.push_back({at, false});
    } else if (order[0].place != at) {
      return Error(group->line, here,
                   absl::StrCat("\"", name,
                                "\" must be first in the order, so "
                                "that a group stands together"));
    }
  }
  if (order.empty()) return absl::OkStatus();
  for (size_t range : ranges) {
    bool named = std::any_of(
        order.begin(), order.end(),
        [range](const ListOrder& step) { return step.place == range; });
    if (!named) order.push_back({range, false});
  }
  bool natural = true;
  for (size_t i = 0; i < order.size(); ++i) {
    natural = natural && order[i].place == ranges[i] && !order[i].descending;
  }
  if (!natural) binding->order = std::move(order);
  return absl::OkStatus();
}

std::vector<size_t> BlueprintParser::Ranges(const NodeDeclaration& node,
                                            const Reference& reference) const {
  const std::vector<int>& dimensions = blueprint_.DimensionsOf(reference);
  std::vector<size_t> ranges;
  for (size_t i = 0; i < dimensions.size(); ++i) {
    if (!reference.indices[i].is_constant &&
        std::count(node.over.begin(), node.over.end(), dimensions[i]) == 0) {
      ranges.push_back(i);
    }
  }
  return ranges;
}

}  // namespace kinora
