#include "services/store/verify/blob_check.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "common/digest.h"
#include "common/status.h"
#include "services/store/checks.h"
#include "services/store/layout.h"
#include "services/store/verify/links_check.h"

namespace kinora {
namespace {

constexpr int64_t kReadBytes = int64_t{1} << 20;

class BlobChecker {
 public:
  BlobChecker(
      ObjectStorage& storage, absl::string_view movie_id,
      absl::FunctionRef<absl::Status(int64_t)> checked,
      absl::FunctionRef<absl::Status(absl::string_view, absl::string_view)>
          problem)
      : storage_(storage),
        movie_id_(movie_id),
        checked_(checked),
        problem_(problem) {}

  absl::Status Run() {
    std::vector<std::string> directories;
    KINORA_RETURN_IF_ERROR(ForEachEntry(
        storage_, BlobPrefix(movie_id_),
        [&](const ObjectPage& page) -> absl::Status {
          directories.insert(directories.end(), page.prefixes.begin(),
                             page.prefixes.end());
          for (const ObjectInfo& object : page.objects) {
            KINORA_RETURN_IF_ERROR(object.is_foreign ? Foreign(object.key)
                                                     : Stray(object.key));
          }
          return absl::OkStatus();
        }));
    for (const std::string& directory : directories) {
      KINORA_RETURN_IF_ERROR(ForEachEntry(
          storage_, directory, [this](const ObjectPage& page) -> absl::Status {
            for (const std::string& prefix : page.prefixes) {
              KINORA_RETURN_IF_ERROR(
                  problem_(absl::StripSuffix(prefix, "/"),
                           "is a directory where only blobs are"));
            }
            for (const ObjectInfo& object : page.objects) {
              KINORA_RETURN_IF_ERROR(object.is_foreign ? Foreign(object.key)
                                                       : CheckBlob(object.key));
            }
            return absl::OkStatus();
          }));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Stray(absl::string_view key) {
    return problem_(key, "is not the name of a blob: nothing reads it");
  }

  absl::Status Foreign(absl::string_view key) {
    return problem_(key, kForeignProblem);
  }

  absl::Status CheckBlob(const std::string& key) {
    const absl::string_view name = LastPart(key);
    if (!ValidateHash("name", name).ok() || key != BlobKey(movie_id_, name)) {
      return Stray(key);
    }
    hasher_.Reset();
    int64_t offset = 0;
    for (;;) {
      absl::StatusOr<std::string> bytes =
          storage_.Read(key, offset, kReadBytes);
      // Collected meanwhile.
      if (absl::IsNotFound(bytes.status())) return absl::OkStatus();
      if (!bytes.ok()) return problem_(key, bytes.status().message());
      if (bytes->empty()) break;
      hasher_.Update(*bytes);
      offset += static_cast<int64_t>(bytes->size());
    }
    const std::string hash = hasher_.Finish().Hex();
    KINORA_RETURN_IF_ERROR(checked_(offset));
    if (hash == name) return absl::OkStatus();
    return problem_(key, absl::StrCat("does not have its hash, but ", hash));
  }

  ObjectStorage& storage_;
  const absl::string_view movie_id_;
  const absl::FunctionRef<absl::Status(int64_t)> checked_;
  const absl::FunctionRef<absl::Status(absl::string_view, absl::string_view)>
      problem_;
  Sha256 hasher_;
};

}  // namespace

absl::Status CheckBlobs(ObjectStorage& storage, absl::string_view movie_id,
                        absl::FunctionRef<absl::Status(int64_t bytes)> checked,
                        absl::FunctionRef<absl::Status(
                            absl::string_view key, absl::string_view message)>
                            problem) {
  return BlobChecker(storage, movie_id, checked, problem).Run();
}

}  // namespace kinora
