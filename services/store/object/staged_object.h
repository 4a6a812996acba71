// A StagedObject is one file that is being written beside all objects, until it
// is renamed to the place of one.

#ifndef KINORA_SERVICES_STORE_OBJECT_STAGED_OBJECT_H_
#define KINORA_SERVICES_STORE_OBJECT_STAGED_OBJECT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "services/store/object/object_places.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Removes its file unless it was published. Not thread-safe.
class StagedObject final : public ObjectWriter {
 public:
  // `file` is that of the path `staged`; `places` MUST outlive this.
  StagedObject(ObjectPlaces& places, std::string staged,
               std::unique_ptr<WritableFile> file)
      : places_(places), staged_(std::move(staged)), file_(std::move(file)) {}
  ~StagedObject() override;

  absl::Status Append(absl::string_view bytes) override;
  absl::StatusOr<bool> CommitIfAbsent(absl::string_view key) override;

  // The end of the bytes, synced.
  absl::Status Finish();
  // All the bytes, in a file that is closed then, as many may be staged at
  // once.
  absl::Status WriteUnsynced(absl::string_view bytes);

  // The staged bytes MUST be synced for all of these. FAILED_PRECONDITION
  // naming both places if the path is on another volume.
  //
  // Gives them a path unless something has it: true if they have it now. The
  // directory MUST exist and is not synced.
  absl::StatusOr<bool> TakeName(const std::string& path);
  // The same with the directory made and synced.
  absl::StatusOr<bool> PublishIfAbsent(const std::string& path);
  // Puts them in the place of what has the path, if anything has.
  absl::Status Publish(const std::string& path);

 private:
  // The error of a rename to `path`.
  absl::Status NotMoved(const absl::Status& failed,
                        absl::string_view path) const;

  ObjectPlaces& places_;
  const std::string staged_;
  std::unique_ptr<WritableFile> file_;
  bool published_ = false;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_OBJECT_STAGED_OBJECT_H_
