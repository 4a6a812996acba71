// Folders that are imported, with what can be kept of them.

#ifndef KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_FIXTURE_H_
#define KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_FIXTURE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include "clients/cpp/artefact_edits.h"
#include "clients/cpp/import/film_folder.h"
#include "clients/cpp/import/kept_results.h"
#include "clients/cpp/import/movie_import.h"
#include "clients/cpp/import/revision_folder.h"
#include "common/digest.h"
#include "common/files/file_system.h"
#include "services/planner/store_planner.h"
#include "services/store/testing/core_fixture.h"

namespace kinora {

inline constexpr char kTimeline[] = "Artifact:Timeline";
inline constexpr char kImage0[] = "Artifact:Image[segment=0]";
inline constexpr char kImage1[] = "Artifact:Image[segment=1]";

inline FolderValue Inline(const std::string& bytes,
                          const std::string& mime_type) {
  FolderValue value;
  value.bytes = bytes;
  value.mime_type = mime_type;
  value.hash = Sha256Of(bytes).Hex();
  value.size_bytes = static_cast<int64_t>(bytes.size());
  return value;
}

inline std::vector<v1::ProducerIdentity> Producers(
    const std::vector<std::string>& names) {
  std::vector<v1::ProducerIdentity> producers(names.size());
  for (size_t i = 0; i < names.size(); ++i) {
    producers[i].set_name(names[i]);
    producers[i].set_version("1");
  }
  return producers;
}

inline constexpr char kWithLeaves[] = R"(blueprint: film
inputs:
  Topic: {type: text}
nodes:
  Script:
    producer: script
    inputs: {topic: "Input:Topic"}
    outputs:
      Script:
        type: application/json
        leaves:
          Title: {at: /title, type: text/plain}
  Poster:
    producer: poster
    inputs: {title: "Title"}
    outputs: {Poster: image/png}
outputs: [Poster]
)";

inline constexpr char kScript[] = R"({"title":"Sea"})";

inline RevisionFolder FolderWithLeaves(const std::string& script) {
  RevisionFolder folder;
  folder.blueprint = kWithLeaves;
  FolderRevision& revision = folder.revisions.emplace_back();
  revision.name = "rev-0001";
  revision.inputs["Input:Topic"] = Inline("sea", "text/plain");
  revision.artefacts["Artifact:Script"] = Inline(script, "application/json");
  revision.artefacts["Artifact:Poster"] = Inline("pixels", "image/png");
  return folder;
}

class KeptResultsTest : public CoreFixture {
 protected:
  // The film with its first `revisions`.
  static RevisionFolder Film(size_t revisions) {
    RevisionFolder folder =
        ReadRevisionFolder(PosixFileSystem(), FilmFolder()).value();
    folder.revisions.resize(revisions);
    return folder;
  }

  static absl::StatusOr<KeptResults> ImportAndKeep(
      Store store, const RevisionFolder& folder,
      const std::vector<v1::ProducerIdentity>& producers) {
    const auto imported =
        ImportMovie(store, PosixFileSystem(), "film", folder, false);
    if (!imported.ok()) return imported.status();
    StorePlanner planner(store);
    return KeepResults(store, planner, "film", producers);
  }

  static absl::Status EditImage(Store store, const std::string& bytes) {
    StorePlanner planner(store);
    return ArtefactEditor(store, planner, "film", "test")
        .Replace(kImage0,
                 [&bytes](const std::string& mime_type)
                     -> absl::StatusOr<v1::Content> {
                   v1::Content content;
                   content.mutable_inline_()->set_mime_type(mime_type);
                   content.mutable_inline_()->set_data(bytes);
                   return content;
                 })
        .status();
  }
  // What a job would read of the artefact now.
  static v1::ArtefactEvent Latest(Store store, const std::string& id) {
    v1::ResolveArtefactsRequest request;
    request.set_movie_id("film");
    request.add_queries()->set_artefact_id(id);
    return store.events.ResolveArtefacts(request)
        ->artefacts(0)
        .event()
        .artefact();
  }

  CreatedPlan Plan(const std::vector<v1::ProducerIdentity>& producers) {
    StorePlanner planner(store());
    v1::CreatePlanRequest request;
    request.set_movie_id("film");
    request.set_with_layers(true);
    request.mutable_producers()->Assign(producers.begin(), producers.end());
    return planner.CreatePlan(request).value();
  }

  const std::vector<v1::ProducerIdentity> all_ = Producers({"picture", "cut"});
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_IMPORT_KEPT_RESULTS_FIXTURE_H_
