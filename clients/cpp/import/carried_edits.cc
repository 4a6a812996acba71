#include "clients/cpp/import/carried_edits.h"

#include <algorithm>
#include <map>

#include "clients/cpp/artefact_edits.h"
#include "clients/cpp/import/import_run.h"
#include "common/content.h"
#include "common/status.h"
#include "services/store/manifest/manifest_document.h"

namespace kinora {
namespace {

// Of what one ResolveArtefacts takes half, as there are two for each artefact.
constexpr size_t kArtefactsPerResolve = 5'000;

// The value to carry; null for none.
const v1::Content* EditToCarry(const v1::ResolvedArtefact& imported,
                               const v1::ResolvedArtefact& kept,
                               const v1::Content& now) {
  if (!imported.found() || !kept.found()) return nullptr;
  const v1::ArtefactEvent& edit = imported.event().artefact();
  const v1::ProducedBy& by = kept.event().artefact().produced_by();
  if (edit.produced_by().edited_by() != v1::EDITED_BY_USER ||
      by.edited_by() == v1::EDITED_BY_USER || !IsImportRun(by.run_id()) ||
      ContentHash(edit.output()) == ContentHash(now)) {
    return nullptr;
  }
  return &edit.output();
}

// Values by artefact.
absl::StatusOr<std::map<std::string, v1::Content>> FindEdits(
    const Store& store, const std::string& movie_id) {
  KINORA_ASSIGN_OR_RETURN(
      const ManifestDocument current,
      ReadManifest(store.manifests, movie_id, /*revision=*/""));
  std::vector<std::string> ids;
  for (const auto& entry : current.manifest.artefacts()) {
    if (!entry.second.node().empty()) ids.push_back(entry.first);
  }
  std::map<std::string, v1::Content> edits;
  for (size_t first = 0; first < ids.size(); first += kArtefactsPerResolve) {
    const size_t end = std::min(ids.size(), first + kArtefactsPerResolve);
    v1::ResolveArtefactsRequest request;
    request.set_movie_id(movie_id);
    for (size_t i = first; i < end; ++i) {
      const v1::ManifestArtefact& now = current.manifest.artefacts().at(ids[i]);
      for (const std::string& key :
           {ContentHash(now.content()), now.inputs_hash()}) {
        v1::ArtefactQuery& query = *request.add_queries();
        query.set_artefact_id(ids[i]);
        query.set_inputs_hash(key);
      }
    }
    KINORA_ASSIGN_OR_RETURN(const v1::ResolveArtefactsResponse resolved,
                            store.events.ResolveArtefacts(request));
    for (size_t i = first; i < end; ++i) {
      const int at = static_cast<int>(2 * (i - first));
      const v1::Content* edit =
          EditToCarry(resolved.artefacts(at), resolved.artefacts(at + 1),
                      current.manifest.artefacts().at(ids[i]).content());
      if (edit != nullptr) edits[ids[i]] = *edit;
    }
  }
  return edits;
}

}  // namespace

absl::StatusOr<CarriedEdits> CarryEdits(const Store& store, Planner& planner,
                                        const std::string& movie_id) {
  using Edits = std::map<std::string, v1::Content>;
  KINORA_ASSIGN_OR_RETURN(const Edits edits, FindEdits(store, movie_id));
  CarriedEdits carried;
  ArtefactEditor editor(store, planner, movie_id, std::string(kImportHolder));
  for (const auto& edit : edits) {
    const absl::Status replaced =
        editor
            .Replace(
                edit.first,
                [&edit](const std::string&) -> absl::StatusOr<v1::Content> {
                  return edit.second;
                })
            .status();
    if (absl::IsInvalidArgument(replaced)) {
      carried.refused.emplace_back(edit.first, replaced);
      continue;
    }
    KINORA_RETURN_IF_ERROR(replaced);
    carried.artefact_ids.push_back(edit.first);
  }
  return carried;
}

}  // namespace kinora
