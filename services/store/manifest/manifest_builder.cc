#include "services/store/manifest/manifest_builder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

#include "common/json/json_writer.h"
#include "common/json/proto_json.h"
#include "common/json/proto_json_writer.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr uint32_t kManifestFormatVersion = 1;

void ApplyArtefact(const v1::ArtefactEvent& event, v1::Manifest* manifest) {
  v1::ManifestArtefact& artefact =
      (*manifest->mutable_artefacts())[event.artefact_id()];
  *artefact.mutable_content() = event.output();
  artefact.set_inputs_hash(event.inputs_hash());
  artefact.set_node(event.produced_by().node());
  artefact.set_readable_path(event.readable_path());
}

// A node is what made the last of its artefacts.
void ApplyArtefacts(const std::vector<EventPtr>& events,
                    v1::Manifest* manifest) {
  absl::flat_hash_map<absl::string_view, const v1::ProducedBy*> makers;
  for (const EventPtr& event : events) {
    const v1::ArtefactEvent& artefact = event->artefact();
    if (artefact.status() != v1::ARTEFACT_STATUS_SUCCEEDED) continue;
    ApplyArtefact(artefact, manifest);
    makers[artefact.produced_by().node()] = &artefact.produced_by();
  }
  makers.erase("");
  for (const auto& maker : makers) {
    v1::ManifestNode& node =
        (*manifest->mutable_nodes())[std::string(maker.first)];
    *node.mutable_producer() = maker.second->producer();
    node.set_settings_hash(maker.second->settings_hash());
  }
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
  ApplyArtefacts(events.artefacts, &manifest);
  for (const std::string& id : events.removed_artefact_ids) {
    manifest.mutable_artefacts()->erase(id);
  }
  DropUnusedNodes(&manifest);
  return manifest;
}

namespace {

template <typename Map>
void WriteMap(const Map& map, JsonWriter* json) {
  std::vector<typename Map::const_pointer> entries;
  entries.reserve(map.size());
  for (const auto& entry : map) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(), [](const auto* a, const auto* b) {
    return Utf16Less(a->first, b->first);
  });
  json->BeginObject();
  for (const auto* entry : entries) {
    json->Key(entry->first);
    WriteCanonical(entry->second, json);
  }
  json->EndObject();
}

}  // namespace

// Members in the order of their keys.
std::string ManifestBytes(const v1::Manifest& manifest) {
  std::string bytes;
  JsonWriter json(&bytes);
  json.BeginObject();
  if (!manifest.artefacts().empty()) {
    json.Key("artefacts");
    WriteMap(manifest.artefacts(), &json);
  }
  if (!manifest.base_revision().empty()) {
    json.Key("baseRevision").String(manifest.base_revision());
  }
  if (manifest.format_version() != 0) {
    json.Key("formatVersion").Uint(manifest.format_version());
  }
  if (!manifest.inputs().empty()) {
    json.Key("inputs");
    WriteMap(manifest.inputs(), &json);
  }
  if (!manifest.nodes().empty()) {
    json.Key("nodes");
    WriteMap(manifest.nodes(), &json);
  }
  if (!manifest.revision().empty()) {
    json.Key("revision").String(manifest.revision());
  }
  json.EndObject();
  return bytes;
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
