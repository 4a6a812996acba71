// What a simulated producer knows of its work: like the records of a provider,
// it may outlive the producer.

#ifndef KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_
#define KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_

#include <map>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"
#include "common/threads/mutex.h"
#include "kinora/v1/producer.pb.h"

namespace kinora {

// Thread-safe.
class SimRecord {
 public:
  // Kept in memory.
  SimRecord() = default;

  // Kept in a file, made if there is none: a line `started KEY` or
  // `finished KEY` for each step of each piece of work. The lines outlive the
  // process, not a loss of power. INVALID_ARGUMENT names a line that is
  // neither; a torn last one is dropped.
  static absl::StatusOr<std::unique_ptr<SimRecord>> Open(
      FileSystem& fs, absl::string_view path);

  // A provider that cannot write down what it is paid for must not do it: an
  // error is the end of the work.
  absl::Status Started(const std::string& idempotency_key);
  absl::Status Finished(const std::string& idempotency_key);

  v1::LookUpState StateOf(const std::string& idempotency_key) const;

 private:
  // Writes the line, if there is a file.
  absl::Status Write(absl::string_view step, const std::string& idempotency_key)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable Mutex mu_;
  std::map<std::string, v1::LookUpState> states_ ABSL_GUARDED_BY(mu_);
  std::unique_ptr<WritableFile> file_ ABSL_GUARDED_BY(mu_);
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CPP_SIM_SIM_RECORD_H_
