// Lines of a stream as they come, for commands that are filters.

#ifndef KINORA_CLIENTS_CLI_LINE_READER_H_
#define KINORA_CLIENTS_CLI_LINE_READER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace kinora {

// A longer line is refused: what is read must fit into memory.
inline constexpr size_t kMaxLineBytes = size_t{256} << 20;

// Not thread-safe.
class LineReader {
 public:
  // Reads from an open file descriptor, which it does not close. `before_wait`
  // is called each time before more is read, which may take for ever: whatever
  // answers the lines so far belongs to be written by then.
  LineReader(int fd, absl::FunctionRef<void()> before_wait)
      : fd_(fd), before_wait_(before_wait) {}

  // The next line, without what ends it; a carriage return before the line feed
  // is left off, and the last line needs neither. nullopt at the end. Valid
  // until the next call. OUT_OF_RANGE for a line above kMaxLineBytes, and
  // UNAVAILABLE if the stream cannot be read; both name the line.
  absl::StatusOr<std::optional<absl::string_view>> Next();

  // The number of the line that Next() gave, from 1.
  int64_t number() const { return number_; }

 private:
  // False at the end of the stream.
  absl::StatusOr<bool> ReadMore();
  absl::string_view Take(size_t size, size_t and_end);

  const int fd_;
  const absl::FunctionRef<void()> before_wait_;
  std::string buffer_;
  size_t begin_ = 0;    // of what was not given yet
  size_t scanned_ = 0;  // so far there is no line feed
  int64_t number_ = 0;
};

}  // namespace kinora

#endif  // KINORA_CLIENTS_CLI_LINE_READER_H_
