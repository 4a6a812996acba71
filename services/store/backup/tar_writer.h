// A TarWriter writes an archive that any tar reads (POSIX pax), piece by piece:
// it holds some hundred kilobytes, however large the members are.

#ifndef KINORA_SERVICES_STORE_BACKUP_TAR_WRITER_H_
#define KINORA_SERVICES_STORE_BACKUP_TAR_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

struct archive;

namespace kinora {

// Not thread-safe. Destroying it without Finish() writes nothing more.
class TarWriter {
 public:
  // Takes the archive's next bytes; its error ends the writing with that error.
  using Sink = absl::FunctionRef<absl::Status(absl::string_view bytes)>;

  // Members get the time `time`. `sink` MUST outlive the writer.
  static absl::StatusOr<std::unique_ptr<TarWriter>> Start(Sink sink,
                                                          absl::Time time);
  ~TarWriter();
  TarWriter(const TarWriter&) = delete;
  TarWriter& operator=(const TarWriter&) = delete;

  // Begins a plain file of exactly `size_bytes`; the one before MUST be whole.
  absl::Status BeginMember(absl::string_view path, int64_t size_bytes);
  absl::Status Append(absl::string_view bytes);

  // Ends the archive. Call it once, last.
  absl::Status Finish();

 private:
  TarWriter(Sink sink, absl::Time time);

  static ssize_t TakeBytes(struct archive* archive, void* self,
                           const void* bytes, size_t size);
  // What a call of libarchive came to, with the sink's error if it has one.
  absl::Status Check(int code);

  const Sink sink_;
  const absl::Time time_;
  struct archive* const archive_;
  absl::Status sunk_;  // the sink's first error
};

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_BACKUP_TAR_WRITER_H_
