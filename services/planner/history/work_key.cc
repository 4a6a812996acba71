#include "services/planner/history/work_key.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

#include "common/element_id.h"
#include "common/inputs_hash.h"
#include "common/status.h"
#include "services/planner/plan/graph_shape.h"
#include "services/planner/plan/hydrated_graph.h"

namespace kinora {
namespace {

// An answer for a person is not worth more.
constexpr size_t kMaxArtefacts = 10'000;

using Point = ElementPlaces::Point;

// Adds what the job at `point` makes of an output, from the dimension of that
// position in `own_over` on. False if that cannot be told.
absl::StatusOr<bool> AddArtefacts(const OutputDeclaration& output,
                                  const Reference& element, size_t level,
                                  Point* point, ElementPlaces& places,
                                  std::vector<std::string>* ids) {
  if (ids->size() == kMaxArtefacts) return false;
  if (level == output.own_over.size()) {
    ids->push_back(ElementIdAt(places.rules(), element, *point));
    return true;
  }
  const int dimension = output.own_over[level];
  KINORA_ASSIGN_OR_RETURN(const std::optional<uint32_t> size,
                          places.SizeAt(dimension, *point));
  // Of none it is not known whether the list is there.
  if (size.value_or(0) == 0) return false;
  for (uint32_t i = 0; i < *size; ++i) {
    (*point)[dimension] = i;
    KINORA_ASSIGN_OR_RETURN(
        const bool told,
        AddArtefacts(output, element, level + 1, point, places, ids));
    if (!told) return false;
  }
  return true;
}

// All that the job there makes, sorted; nullopt if that cannot be told.
absl::StatusOr<std::optional<std::vector<std::string>>> ArtefactsAt(
    const NodeDeclaration& node, Point point, ElementPlaces& places) {
  std::vector<std::string> artefacts;
  for (int output : node.outputs) {
    Reference element;
    element.target = output;
    KINORA_ASSIGN_OR_RETURN(
        const bool told, AddArtefacts(places.rules().outputs[output], element,
                                      0, &point, places, &artefacts));
    if (!told) return std::nullopt;
  }
  std::sort(artefacts.begin(), artefacts.end());
  return artefacts;
}

// Whether a reference leads to elements of that name and kind.
bool LeadsTo(const Reference& reference, const ElementId& id,
             const Blueprint& rules) {
  const bool is_input = id.kind == ElementId::Kind::kInput;
  if (reference.is_input != is_input) return false;
  return id.name == (is_input ? rules.inputs[reference.target].name
                              : rules.outputs[reference.target].name);
}

// Whether a binding may read that now.
bool MayRead(const Binding& binding, const std::string& source_id,
             const Blueprint& rules) {
  const absl::StatusOr<ElementId> id = ElementId::Parse(source_id);
  return id.ok() && (LeadsTo(binding.from, *id, rules) ||
                     (binding.fallback.has_value() &&
                      LeadsTo(*binding.fallback, *id, rules)));
}

}  // namespace

absl::StatusOr<std::optional<Digest>> KeyNow(const v1::ArtefactEvent& attempt,
                                             uint32_t draw,
                                             ElementPlaces& places) {
  const Blueprint& rules = places.rules();
  const v1::ProducedBy& by = attempt.produced_by();
  KINORA_ASSIGN_OR_RETURN(const ElementId id,
                          ElementId::Parse(attempt.artefact_id()));
  const int made = rules.FindOutput(id.name);
  Point point(rules.dimensions.size(), 0);
  if (made < 0 || !places.PlaceAt(rules.outputs[made].dimensions, id, &point)) {
    return Digest();
  }
  const int index = rules.outputs[made].node;
  const NodeDeclaration& node = rules.nodes[index];
  const std::string& version = by.producer().version();
  if (node.name != by.node() || node.producer != by.producer().name() ||
      !node.producer_versions.Contains(version)) {
    return Digest();
  }
  KINORA_ASSIGN_OR_RETURN(
      const std::optional<std::vector<std::string>> artefacts,
      ArtefactsAt(node, std::move(point), places));
  if (!artefacts.has_value()) return std::nullopt;
  absl::flat_hash_map<absl::string_view, const v1::Dependency*> slots;
  for (const v1::Dependency& dependency : attempt.dependencies()) {
    slots[dependency.slot()] = &dependency;
  }
  // What was bound there; nothing for an absent value.
  auto bound = [&slots](const std::string& slot) -> const v1::Dependency* {
    const auto found = slots.find(slot);
    if (found == slots.end() || found->second->source_id().empty()) {
      return nullptr;
    }
    return found->second;
  };
  InputsHasher hasher;
  hasher.Start(HashOfNode(rules, index, version), by.job_id(), draw);
  for (const std::string& artefact : *artefacts) hasher.AddArtefact(artefact);
  for (const Binding& binding : node.bindings) {
    if (binding.group >= 0) return std::nullopt;
    std::vector<Digest> contents;
    for (size_t i = 0; i == 0 || binding.is_list; ++i) {
      const v1::Dependency* read =
          bound(binding.is_list ? FanInSlot(binding.name, i) : binding.name);
      if (read == nullptr) break;
      if (!MayRead(binding, read->source_id(), rules)) return Digest();
      const absl::StatusOr<Digest> content = Digest::ParseHex(read->hash());
      if (!content.ok()) return std::nullopt;
      contents.push_back(*content);
    }
    hasher.AddBinding(binding.name, binding.is_list ? kListShape : kOneShape,
                      contents.size());
    for (const Digest& content : contents) hasher.AddContent(content);
  }
  return hasher.Finish();
}

}  // namespace kinora
