#include "services/store/event/log_line_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kEdgeBytes = 4 << 10;

}  // namespace

absl::StatusOr<bool> LogLineReader::Next(absl::string_view* line) {
  buffer_begin_ += consumed_;
  consumed_ = 0;
  size_t searched = 0;
  for (;;) {
    const absl::string_view rest =
        absl::string_view(buffer_).substr(buffer_begin_);
    const size_t newline = rest.find('\n', searched);
    if (newline != absl::string_view::npos) {
      *line = rest.substr(0, newline);
      consumed_ = newline + 1;
      return true;
    }
    searched = rest.size();
    KINORA_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return false;
  }
}

absl::StatusOr<bool> LogLineReader::Fill() {
  buffer_.erase(0, buffer_begin_);
  buffer_begin_ = 0;
  const size_t kept = buffer_.size();
  // Doubling keeps a very long line from being copied again and again.
  const uint64_t want =
      std::min(std::max<uint64_t>(chunk_bytes_, kept), end_ - next_);
  buffer_.resize(kept + want);
  KINORA_ASSIGN_OR_RETURN(
      const size_t got,
      file_.ReadAt(next_, absl::MakeSpan(&buffer_[0] + kept, want)));
  buffer_.resize(kept + got);
  next_ += got;
  return got > 0;
}

absl::StatusOr<std::string> ReadLogLineBefore(const RandomAccessFile& file,
                                              uint64_t end,
                                              absl::string_view path) {
  for (uint64_t bytes = kEdgeBytes;; bytes *= 2) {
    bytes = std::min(bytes, end);
    std::string tail(bytes, '\0');
    KINORA_ASSIGN_OR_RETURN(
        const size_t got,
        file.ReadAt(end - bytes, absl::MakeSpan(&tail[0], bytes)));
    if (got != bytes || bytes == 0 || tail.back() != '\n') {
      return absl::DataLossError(absl::StrCat(path, ": the last line is torn"));
    }
    tail.pop_back();
    const size_t newline = tail.rfind('\n');
    if (newline != std::string::npos) return tail.substr(newline + 1);
    if (bytes == end) return tail;
  }
}

}  // namespace kinora
