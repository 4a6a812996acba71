#include "services/planner/history/leaf_list.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "common/json/json_leaf.h"
#include "common/status.h"

namespace kinora {
namespace {

std::vector<uint32_t> PointOf(const ElementId& id) {
  std::vector<uint32_t> point;
  for (const DimensionIndex& index : id.indices) point.push_back(index.index);
  return point;
}

// The name within the id of an artefact.
absl::string_view NameIn(absl::string_view id) {
  id.remove_prefix(std::min(id.size(), id.find(':') + 1));
  return id.substr(0, id.find('['));
}

}  // namespace

std::vector<v1::Leaf> LeavesOf(const Blueprint& blueprint,
                               const v1::Manifest& manifest,
                               const ElementId& whole) {
  const int parent = blueprint.FindOutput(whole.name);
  if (parent < 0) return {};
  // Each with its place among the leaves.
  std::map<absl::string_view, std::pair<size_t, const OutputDeclaration*>>
      declared;
  for (int output : blueprint.nodes[blueprint.outputs[parent].node].outputs) {
    const OutputDeclaration& leaf = blueprint.outputs[output];
    if (leaf.leaf_of != parent) continue;
    const size_t place = declared.size();
    declared[leaf.name] = {place, &leaf};
  }
  if (declared.empty()) return {};
  const std::vector<uint32_t> at = PointOf(whole);
  std::map<std::pair<size_t, std::vector<uint32_t>>, v1::Leaf> found;
  for (const auto& [id, artefact] : manifest.artefacts()) {
    const auto known = declared.find(NameIn(id));
    if (known == declared.end()) continue;
    const OutputDeclaration& leaf = *known->second.second;
    const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
    if (!parsed.ok()) continue;
    std::vector<uint32_t> point = PointOf(*parsed);
    if (point.size() != leaf.dimensions.size() ||
        blueprint.PointOfWhole(leaf, point) != at) {
      continue;
    }
    v1::Leaf described;
    described.set_artefact_id(id);
    described.set_json_pointer(leaf.pointer.At(point));
    described.set_mime_type(leaf.mime_type);
    found[{known->second.first, std::move(point)}] = std::move(described);
  }
  std::vector<v1::Leaf> leaves;
  for (auto& [place, leaf] : found) leaves.push_back(std::move(leaf));
  return leaves;
}

absl::Status CheckHoldsLeaves(absl::string_view id, absl::string_view text,
                              const std::vector<v1::Leaf>& leaves) {
  KINORA_ASSIGN_OR_RETURN(const JsonValue document,
                          ParseSplitDocument(id, text));
  for (const v1::Leaf& leaf : leaves) {
    KINORA_RETURN_IF_ERROR(
        BytesOfLeaf(document, {leaf.artefact_id(), std::string(id),
                               leaf.json_pointer(), leaf.mime_type()})
            .status());
  }
  return absl::OkStatus();
}

}  // namespace kinora
