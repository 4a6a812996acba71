#include "services/store/manifest/manifest_document.h"

#include <string>

#include "absl/strings/str_cat.h"

#include "common/json/proto_json.h"
#include "common/status.h"

namespace kinora {

absl::StatusOr<ManifestDocument> ReadManifest(ManifestStore& manifests,
                                              absl::string_view movie_id,
                                              absl::string_view revision) {
  v1::GetManifestRequest request;
  request.set_movie_id(std::string(movie_id));
  request.set_revision(std::string(revision));
  KINORA_ASSIGN_OR_RETURN(const StoredManifest stored, manifests.Get(request));
  ManifestDocument document;
  document.pointer = stored.pointer;
  KINORA_RETURN_IF_ERROR(
      Annotate(ParseDocument(stored.json, &document.manifest),
               absl::StrCat("manifest ", stored.pointer.revision(),
                            " of movie ", movie_id)));
  return document;
}

}  // namespace kinora
