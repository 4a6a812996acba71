// A DirectWriter appends to a file past the page cache of the system.

#ifndef KINORA_COMMON_FILES_DIRECT_WRITER_H_
#define KINORA_COMMON_FILES_DIRECT_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace kinora {

// For large files: their bytes take memory from nobody, and a sync of another
// file on the volume does not have to wait until they are written. Bytes are
// copied into a buffer of 1 MiB, from where the disk takes them. Not
// thread-safe.
class DirectWriter {
 public:
  // Of all file systems that are known, the largest block that bytes on their
  // way past the cache must begin and end with.
  static constexpr uint64_t kBlockBytes = 4096;

  // For the descriptor of a file whose position is at its end, a multiple of
  // kBlockBytes; it MUST outlive the writer. `path` is for errors. Null where
  // the file system has no such way.
  static std::unique_ptr<DirectWriter> Begin(int fd, absl::string_view path);

  absl::Status Append(absl::string_view bytes);

  // Hands what is left in the buffer to the system, the last bytes through the
  // cache: a sync is still to come. Afterwards the file is as any other. Call
  // it once, at the end.
  absl::Status Finish();

 private:
  struct Free {
    void operator()(char* buffer) const;
  };
  using Buffer = std::unique_ptr<char, Free>;

  DirectWriter(int fd, absl::string_view path, Buffer buffer)
      : fd_(fd), path_(path), buffer_(std::move(buffer)) {}

  absl::Status Write(size_t begin, size_t end);
  absl::Status UseCache();

  const int fd_;
  const std::string path_;
  const Buffer buffer_;
  size_t filled_ = 0;
  bool direct_ = true;  // else through the cache
};

}  // namespace kinora

#endif  // KINORA_COMMON_FILES_DIRECT_WRITER_H_
