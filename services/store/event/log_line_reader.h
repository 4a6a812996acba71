// A LogLineReader cuts a range of a file into lines.

#ifndef KINORA_SERVICES_STORE_EVENT_LOG_LINE_READER_H_
#define KINORA_SERVICES_STORE_EVENT_LOG_LINE_READER_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "common/files/file_system.h"

namespace kinora {

// Not thread-safe.
class LogLineReader {
 public:
  // Reads from `begin` to `end`, so many bytes at a time; `file` MUST outlive
  // the reader.
  LogLineReader(const RandomAccessFile& file, uint64_t begin, uint64_t end,
                uint64_t chunk_bytes)
      : file_(file), next_(begin), end_(end), chunk_bytes_(chunk_bytes) {}

  // The next line without its '\n', valid until the next call. False at the
  // end of the range, or of the last line that has a '\n'.
  absl::StatusOr<bool> Next(absl::string_view* line);

 private:
  absl::StatusOr<bool> Fill();

  const RandomAccessFile& file_;
  uint64_t next_;
  const uint64_t end_;
  const uint64_t chunk_bytes_;
  std::string buffer_;
  size_t buffer_begin_ = 0;  // the bytes before it were returned
  size_t consumed_ = 0;      // bytes of the line returned last, with its '\n'
};

// The piece between the last two '\n' of the first `end` bytes of a file, or
// before their only one. DATA_LOSS if they do not end in one.
absl::StatusOr<std::string> ReadLogLineBefore(const RandomAccessFile& file,
                                              uint64_t end,
                                              absl::string_view path);

}  // namespace kinora

#endif  // KINORA_SERVICES_STORE_EVENT_LOG_LINE_READER_H_
