// A CopyWriter writes the archive of a copy, member by member, and behind them
// the hashes of all (member_sums.h).

#ifndef KINORA_SERVICES_STORE_BACKUP_COPY_WRITER_H_
#define KINORA_SERVICES_STORE_BACKUP_COPY_WRITER_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

#include "common/digest.h"
#include "services/store/backup/member_sums.h"
#include "services/store/backup/tar_writer.h"
#include "services/store/object/object_storage.h"

namespace kinora {

// Not thread-safe. Holds a megabyte of an object at a time.
class CopyWriter {
 public:
  // Reads objects from `storage`; the archive's bytes go to `sink`, and its
  // members get the time `time`. Both references MUST outlive the writer.
  static absl::StatusOr<std::unique_ptr<CopyWriter>> Start(
      ObjectStorage& storage, TarWriter::Sink sink, absl::Time time);

  absl::Status Add(absl::string_view path, absl::string_view bytes);

  // Adds the object `key` as it is stored, as the member `path`. DATA_LOSS
  // (DATA_CORRUPT) if it is missing or ends early.
  absl::Status AddObject(const std::string& key, absl::string_view path);

  // The same for a blob, after all other members; also DATA_LOSS unless its
  // bytes have its hash.
  absl::Status AddBlob(const std::string& key, const Digest& blob);

  // Adds the hashes and ends the archive. Call it once, last.
  absl::Status Finish();

 private:
  CopyWriter(ObjectStorage& storage, std::unique_ptr<TarWriter> tar)
      : storage_(storage), tar_(std::move(tar)) {}

  // Returns the hash of what was copied.
  absl::StatusOr<Digest> CopyObject(const std::string& key,
                                    absl::string_view path);

  ObjectStorage& storage_;
  const std::unique_ptr<TarWriter> tar_;
  MemberSums sums_;
  Sha256 hasher_;
  std::string buffer_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_COPY_WRITER_H_
