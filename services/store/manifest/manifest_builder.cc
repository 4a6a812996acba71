#include "services/store/manifest/manifest_builder.h"

#include <utility>

#include "absl/container/flat_hash_set.h"

#include "common/proto_json.h"

namespace kinora {
namespace {

constexpr uint32_t kManifestFormatVersion = 1;

void ApplyArtefact(const v1::ArtefactEvent& event, v1::Manifest* manifest) {
  if (event.status() != v1::ARTEFACT_STATUS_SUCCEEDED) return;
  const v1::ProducedBy& by = event.produced_by();
  v1::ManifestArtefact artefact;
  *artefact.mutable_content() = event.output();
  artefact.set_inputs_hash(event.inputs_hash());
  artefact.set_node(by.node());
  artefact.set_readable_path(event.readable_path());
  (*manifest->mutable_artefacts())[event.artefact_id()] = std::move(artefact);
  if (by.node().empty()) return;
  v1::ManifestNode& node = (*manifest->mutable_nodes())[by.node()];
  *node.mutable_producer() = by.producer();
  node.set_settings_hash(by.settings_hash());
}

}  // namespace

void ApplyInput(const v1::InputEvent& event, v1::Manifest* manifest) {
  if (event.cleared()) {
    manifest->mutable_inputs()->erase(event.input_id());
    return;
  }
  *(*manifest->mutable_inputs())[event.input_id()].mutable_content() =
      event.content();
}

namespace {

void DropUnusedNodes(v1::Manifest* manifest) {
  absl::flat_hash_set<std::string> used;
  for (const auto& entry : manifest->artefacts()) {
    used.insert(entry.second.node());
  }
  std::vector<std::string> unused;
  for (const auto& entry : manifest->nodes()) {
    if (!used.contains(entry.first)) unused.push_back(entry.first);
  }
  for (const std::string& node : unused) manifest->mutable_nodes()->erase(node);
}

}  // namespace

v1::Manifest BuildManifest(const v1::Manifest& base, absl::string_view revision,
                           const RevisionEvents& events) {
  v1::Manifest manifest = base;
  manifest.set_format_version(kManifestFormatVersion);
  manifest.set_base_revision(base.revision());
  manifest.set_revision(std::string(revision));
  for (const EventPtr& event : events.inputs) {
    ApplyInput(event->input(), &manifest);
  }
  for (const EventPtr& event : events.artefacts) {
    ApplyArtefact(event->artefact(), &manifest);
  }
  for (const std::string& id : events.removed_artefact_ids) {
    manifest.mutable_artefacts()->erase(id);
  }
  DropUnusedNodes(&manifest);
  return manifest;
}

namespace {

// Whether both have the same ids, with the same values. The first difference
// ends it: two revisions of a large film are rarely compared to the end.
template <typename Map>
bool SameEntries(const Map& a, const Map& b) {
  if (a.size() != b.size()) return false;
  for (const auto& entry : a) {
    const auto other = b.find(entry.first);
    if (other == b.end()) return false;
    if (entry.second.SerializeAsString() != other->second.SerializeAsString() &&
        CanonicalBytes(entry.second) != CanonicalBytes(other->second)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool SameContent(const v1::Manifest& a, const v1::Manifest& b) {
  return a.format_version() == b.format_version() &&
         SameEntries(a.nodes(), b.nodes()) &&
         SameEntries(a.inputs(), b.inputs()) &&
         SameEntries(a.artefacts(), b.artefacts());
}

}  // namespace kinora
