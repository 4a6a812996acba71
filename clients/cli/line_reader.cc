#include "clients/cli/line_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;

}  // namespace

absl::StatusOr<std::optional<absl::string_view>> LineReader::Next() {
  for (;;) {
    const size_t end = buffer_.find('\n', scanned_);
    if (end != std::string::npos) return Take(end - begin_, 1);
    scanned_ = buffer_.size();
    if (scanned_ - begin_ > kMaxLineBytes) {
      return absl::OutOfRangeError(absl::StrCat(
          "line ", number_ + 1, ": is longer than ", kMaxLineBytes, " bytes"));
    }
    KINORA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (more) continue;
    if (begin_ == buffer_.size()) return std::nullopt;
    return Take(buffer_.size() - begin_, 0);
  }
}

absl::string_view LineReader::Take(size_t size, size_t and_end) {
  absl::string_view line = absl::string_view(buffer_).substr(begin_, size);
  begin_ += size + and_end;
  scanned_ = begin_;
  ++number_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

absl::StatusOr<bool> LineReader::ReadMore() {
  before_wait_();
  buffer_.erase(0, begin_);
  scanned_ -= begin_;
  begin_ = 0;
  const size_t had = buffer_.size();
  // A long line is read in ever larger pieces.
  buffer_.resize(had + std::max(kReadBytes, had));
  ssize_t got = 0;
  do {
    got = ::read(fd_, &buffer_[had], buffer_.size() - had);
  } while (got < 0 && errno == EINTR);
  buffer_.resize(had + (got < 0 ? 0 : static_cast<size_t>(got)));
  if (got < 0) {
    return absl::UnavailableError(
        absl::StrCat("line ", number_ + 1, ": read: ", std::strerror(errno)));
  }
  return got > 0;
}

}  // namespace kinora
