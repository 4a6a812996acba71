#include "services/store/verify/readable_check.h"

#include <map>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "common/json/proto_json.h"
#include "common/status.h"
#include "kinora/v1/manifest.pb.h"
#include "services/store/layout.h"
#include "services/store/readable/readable_files.h"

namespace kinora {
namespace {

// The artefacts of the current revision that name a readable file, by its path
// below the movie, in ascending order.
absl::StatusOr<std::map<std::string, std::vector<std::string>>> NamersOfFiles(
    ManifestStore& manifests, const std::string& movie_id) {
  std::map<std::string, std::vector<std::string>> namers;
  v1::GetManifestRequest request;
  request.set_movie_id(movie_id);
  const absl::StatusOr<StoredManifest> stored = manifests.Get(request);
  // Damage is told by the check of manifests.
  if (absl::IsNotFound(stored.status()) || absl::IsDataLoss(stored.status())) {
    return namers;
  }
  KINORA_RETURN_IF_ERROR(stored.status());
  v1::Manifest manifest;
  KINORA_RETURN_IF_ERROR(ParseDocument(stored->json, &manifest));
  // Of a map: in no order.
  const std::map<std::string, v1::ManifestArtefact> artefacts(
      manifest.artefacts().begin(), manifest.artefacts().end());
  for (const auto& entry : artefacts) {
    const std::string& path = entry.second.readable_path();
    if (path.empty()) continue;
    namers[absl::StrCat(kPromptsPath, path)].push_back(entry.first);
  }
  return namers;
}

}  // namespace

absl::Status CheckReadableFiles(
    ObjectStorage& storage, LogEventStore& events, ManifestStore& manifests,
    const std::string& movie_id,
    absl::FunctionRef<absl::Status(absl::string_view path,
                                   absl::string_view message)>
        problem) {
  if (!storage.KeepsFiles()) return absl::OkStatus();
  KINORA_ASSIGN_OR_RETURN(const ReadableFindings found,
                          events.readable().FindEdits(movie_id, false));
  for (const SkippedReadable& file : found.skipped) {
    KINORA_RETURN_IF_ERROR(
        problem(file.path, absl::StrCat("cannot be taken as the text of ",
                                        file.artefact_id, ": ", file.reason)));
  }
  for (const ReadableEdit& edit : found.edits) {
    KINORA_RETURN_IF_ERROR(problem(
        edit.path,
        absl::StrCat("is not the text of ", edit.event.artefact().artefact_id(),
                     ": scan the movie if it was edited, else remove it and "
                     "scan to have it written again")));
  }
  KINORA_ASSIGN_OR_RETURN(const auto namers,
                          NamersOfFiles(manifests, movie_id));
  for (const auto& entry : namers) {
    if (entry.second.size() == 1) continue;
    KINORA_RETURN_IF_ERROR(problem(
        entry.first,
        absl::StrCat("is the file of ", absl::StrJoin(entry.second, " and "),
                     ": it has the text of the one that was made last, the "
                     "others have none until they get paths of their own")));
  }
  return absl::OkStatus();
}

}  // namespace kinora
