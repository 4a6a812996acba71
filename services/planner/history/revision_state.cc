#include "services/planner/history/revision_state.h"

#include "absl/strings/match.h"

#include "common/content.h"
#include "common/element_id.h"

namespace kinora {
namespace {

// The value of `entries` under `key`, or null.
template <typename Map>
const typename Map::mapped_type* Find(const Map& entries,
                                      const std::string& key) {
  auto found = entries.find(key);
  return found == entries.end() ? nullptr : &found->second;
}

const v1::Manifest& ManifestOf(const RevisionState& state) {
  return state.manifest == nullptr ? v1::Manifest::default_instance()
                                   : *state.manifest;
}

const NodeDeclaration* FindDeclared(const RevisionState& state,
                                    absl::string_view node) {
  if (state.blueprint == nullptr) return nullptr;
  for (const NodeDeclaration& declared : state.blueprint->nodes) {
    if (declared.name == node) return &declared;
  }
  return nullptr;
}

}  // namespace

const std::string& RevisionState::revision() const {
  return ManifestOf(*this).revision();
}

const v1::Content* RevisionState::FindInput(const std::string& id) const {
  const v1::ManifestInput* set = Find(ManifestOf(*this).inputs(), id);
  if (set != nullptr) return &set->content();
  if (manifest == nullptr || blueprint == nullptr) return nullptr;
  const absl::StatusOr<ElementId> parsed = ElementId::Parse(id);
  if (!parsed.ok()) return nullptr;
  const int found = blueprint->FindInput(parsed->name);
  if (found < 0) return nullptr;
  const auto& value = blueprint->inputs[found].default_value;
  return value.has_value() ? &*value : nullptr;
}

bool RevisionState::IsSet(const std::string& id) const {
  return Find(ManifestOf(*this).inputs(), id) != nullptr;
}

const v1::ManifestArtefact* RevisionState::FindArtefact(
    const std::string& id) const {
  return Find(ManifestOf(*this).artefacts(), id);
}

const v1::ManifestNode* RevisionState::FindNode(const std::string& name) const {
  return Find(ManifestOf(*this).nodes(), name);
}

absl::string_view RevisionState::SettingsOf(absl::string_view node) const {
  const NodeDeclaration* declared = FindDeclared(*this, node);
  if (declared == nullptr) return "";
  return declared->settings_json;
}

absl::string_view RevisionState::SaltOf(absl::string_view node) const {
  const NodeDeclaration* declared = FindDeclared(*this, node);
  if (declared == nullptr) return "";
  return declared->salt;
}

std::string RevisionState::HashOf(const std::string& id) const {
  if (IsInputId(id)) {
    const v1::Content* value = FindInput(id);
    return value == nullptr ? "" : ContentHash(*value);
  }
  const v1::ManifestArtefact* artefact = FindArtefact(id);
  return artefact == nullptr ? "" : ContentHash(artefact->content());
}

bool IsInputId(absl::string_view id) { return absl::StartsWith(id, "Input:"); }

}  // namespace kinora
