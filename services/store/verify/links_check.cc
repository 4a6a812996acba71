#include "services/store/verify/links_check.h"

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"

#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"

namespace kinora {
namespace {

class LinksChecker {
 public:
  LinksChecker(ObjectStorage& storage, ReadableFiles& readable,
               const std::string& movie_id,
               absl::FunctionRef<absl::Status(absl::string_view)> found)
      : storage_(storage),
        readable_(readable),
        movie_id_(movie_id),
        found_(found) {}

  absl::Status CheckBelow(const std::string& prefix) {
    return ForEachEntry(storage_, prefix,
                        [this](const ObjectPage& page) -> absl::Status {
                          for (const ObjectInfo& object : page.objects) {
                            if (!object.is_foreign || !IsMovies(object.key))
                              continue;
                            KINORA_RETURN_IF_ERROR(found_(object.key));
                          }
                          for (const std::string& below : page.prefixes) {
                            if (below == BlobPrefix(movie_id_)) continue;
                            KINORA_RETURN_IF_ERROR(CheckBelow(below));
                          }
                          return absl::OkStatus();
                        });
  }

 private:
  // Whether the movie has something in that place.
  bool IsMovies(absl::string_view key) {
    const absl::string_view path =
        absl::StripPrefix(key, MoviePrefix(movie_id_));
    if (!absl::StartsWith(path, kPromptsPath) &&
        !absl::StartsWith(path, kArtifactsPath)) {
      return true;
    }
    // A file that cannot be taken has its own check. Damage in the log, too.
    return readable_.DeclaresBelow(movie_id_, path).value_or(false);
  }

  ObjectStorage& storage_;
  ReadableFiles& readable_;
  const std::string& movie_id_;
  const absl::FunctionRef<absl::Status(absl::string_view)> found_;
};

}  // namespace

absl::Status CheckLinks(
    ObjectStorage& storage, ReadableFiles& readable,
    const std::string& movie_id,
    absl::FunctionRef<absl::Status(absl::string_view key)> found) {
  if (!storage.KeepsFiles()) return absl::OkStatus();
  return LinksChecker(storage, readable, movie_id, found)
      .CheckBelow(MoviePrefix(movie_id));
}

}  // namespace kinora
