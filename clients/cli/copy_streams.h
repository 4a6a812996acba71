// Copies of movies, and exports of runs, on their way between a store and a
// file: what `backup`, `restore`, `runs export` and `import` have in common.

#ifndef KINORA_CLIENTS_CLI_COPY_STREAMS_H_
#define KINORA_CLIENTS_CLI_COPY_STREAMS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "clients/cli/command.h"
#include "common/files/file_system.h"
#include "kinora/v1/maintenance.pb.h"

namespace kinora {

// In the place of a file: standard input or output.
inline constexpr absl::string_view kStandardStream = "-";

// Whether a copy may go to `path`. Bad usage for standard output if that is a
// terminal, or JSON has it for itself.
absl::Status CheckCopyTarget(const Invocation& call, absl::string_view path);

// Has the store write a copy to `path`, which must not exist, or to standard
// output. The size. Errors as of CheckCopyTarget() and of the store.
absl::StatusOr<int64_t> WriteCopy(const Invocation& call,
                                  const v1::BackUpMovieRequest& request,
                                  const std::string& path);

// A CopyReader reads a copy from a file or standard input. Not thread-safe.
class CopyReader {
 public:
  static absl::StatusOr<CopyReader> Open(const std::string& path);

  // The next bytes; empty at the end.
  absl::StatusOr<std::string> Next();

  // Has bytes that Next() gave come again, as the next ones.
  void GiveBack(const std::string& bytes);

  // Bytes read so far.
  int64_t size() const { return size_; }

 private:
  explicit CopyReader(std::unique_ptr<RandomAccessFile> file)
      : file_(std::move(file)) {}

  std::unique_ptr<RandomAccessFile> file_;  // null for standard input
  std::string given_back_;
  int64_t size_ = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_COPY_STREAMS_H_
