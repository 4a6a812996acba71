// The file that a command writes: `-o FILE`, or the copy of a movie.

#ifndef KINORA_CLIENTS_CLI_OUTPUT_FILE_H_
#define KINORA_CLIENTS_CLI_OUTPUT_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// What to do if there is a regular file of that name.
enum class ExistingFile { kReplace, kRefuse };

// An OutputFile appears whole or not at all: its bytes go to a file of its own
// beside it until Finish(). A symbolic link is followed, also to where there is
// nothing yet, and stays. Devices, FIFOs and names of open files (/dev/stdout)
// are written to as they are. Not thread-safe.
class OutputFile {
 public:
  // Waits for a reader of a FIFO. ALREADY_EXISTS as `existing` says;
  // FAILED_PRECONDITION if it is a directory. Errors name `path`, or where its
  // links end.
  static absl::StatusOr<OutputFile> Open(const std::string& path,
                                         ExistingFile existing);

  // Without Finish() nothing is left of it.
  ~OutputFile();
  OutputFile(OutputFile&&) = default;
  OutputFile& operator=(OutputFile&&) = delete;

  absl::Status Append(absl::string_view bytes);

  // Gives the file its name, on stable storage. Call it once, last.
  absl::Status Finish();

  // Bytes appended.
  int64_t size() const { return size_; }

 private:
  OutputFile(std::unique_ptr<WritableFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  static absl::StatusOr<OutputFile> OpenBeside(std::string path,
                                               ExistingFile existing);

  // An error of the file beside it, told of the one that was asked for.
  absl::Status Told(const absl::Status& status) const;

  std::unique_ptr<WritableFile> file_;  // null once moved from or finished
  std::string path_;
  std::string temporary_;  // empty where it is written to as it is
  ExistingFile existing_ = ExistingFile::kReplace;
  int64_t size_ = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_OUTPUT_FILE_H_
