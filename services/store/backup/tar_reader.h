// A TarReader reads an archive that came from anywhere, piece by piece. It
// hands out plain files alone: a link, a device, a directory or a sparse file
// is refused, so that nothing but a name and bytes has to be judged. Names are
// the caller's to check; nothing is ever written to where they point.

#ifndef KINORA_SERVICES_STORE_BACKUP_TAR_READER_H_
#define KINORA_SERVICES_STORE_BACKUP_TAR_READER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct archive;

namespace kinora {

// INVALID_ARGUMENT (DATA_CORRUPT) naming the member: what is wrong with a copy.
absl::Status CopyDamaged(absl::string_view member, absl::string_view why);

// What is wrong with stored bytes that came as `member`, for those who sent the
// copy: CopyDamaged(), or INVALID_ARGUMENT (FORMAT_UNKNOWN). Other errors stay.
absl::Status OfCopy(absl::string_view member, const absl::Status& status);

// Not thread-safe.
class TarReader {
 public:
  // The archive's next bytes; empty at its end. An error ends the reading with
  // that error.
  using Source = absl::FunctionRef<absl::StatusOr<std::string>()>;

  struct Member {
    std::string path;
    int64_t size_bytes = 0;
  };

  // `source` MUST outlive the reader.
  static absl::StatusOr<std::unique_ptr<TarReader>> Start(Source source);
  ~TarReader();
  TarReader(const TarReader&) = delete;
  TarReader& operator=(const TarReader&) = delete;

  // The next member; none at the end of the archive. CopyDamaged() for what is
  // no archive or no plain file, or if something stands where the one before is
  // filled up with zeros.
  absl::StatusOr<std::optional<Member>> Next();

  // The next bytes of the member, valid until the next call; empty at its end.
  absl::StatusOr<absl::string_view> Read();

  // After the last member, which MUST NOT end with a zero byte, was read and
  // Next() found none: CopyDamaged() unless the archive ends as it should, to
  // its last byte.
  absl::Status Finish();

 private:
  explicit TarReader(Source source);

  static ssize_t GiveBytes(struct archive* archive, void* self,
                           const void** bytes);
  absl::Status Take();
  absl::Status Check(int code);
  // That a member is filled up with zeros, up to where the next one begins.
  absl::Status CheckFilling(int64_t end) const;

  const Source source_;
  struct archive* const archive_;
  absl::Status given_;          // the source's first error
  std::string piece_;           // what it gave last
  std::string before_;          // the end of what it gave before that
  int64_t taken_bytes_ = 0;     // all it gave
  int64_t trailing_zeros_ = 0;  // at the end of that
  bool ended_ = false;          // it gives no more
  std::string path_;            // of the member at hand
  int64_t header_at_ = 0;       // where it begins in the archive
  int64_t size_bytes_ = 0;
  int64_t left_bytes_ = 0;  // of it
  std::vector<char> buffer_;
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_TAR_READER_H_
