#include "common/files/direct_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "common/files/posix_file.h"
#include "common/status.h"

namespace kinora {
namespace {

// Larger ones were not faster (ext4 on a virtual disk), of 256 KiB half as
// fast.
constexpr size_t kBufferBytes = size_t{1} << 20;

bool SetDirect(int fd, bool direct) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 &&
         fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
}

}  // namespace

void DirectWriter::Free::operator()(char* buffer) const { std::free(buffer); }

std::unique_ptr<DirectWriter> DirectWriter::Begin(int fd,
                                                  absl::string_view path) {
  Buffer buffer(
      static_cast<char*>(std::aligned_alloc(kBlockBytes, kBufferBytes)));
  if (buffer == nullptr || !SetDirect(fd, true)) return nullptr;
  return std::unique_ptr<DirectWriter>(
      new DirectWriter(fd, path, std::move(buffer)));
}

absl::Status DirectWriter::Append(absl::string_view bytes) {
  while (!bytes.empty()) {
    const size_t piece = std::min(bytes.size(), kBufferBytes - filled_);
    std::memcpy(buffer_.get() + filled_, bytes.data(), piece);
    bytes.remove_prefix(piece);
    filled_ += piece;
    if (filled_ < kBufferBytes) break;
    KINORA_RETURN_IF_ERROR(Write(0, filled_));
    filled_ = 0;
  }
  return absl::OkStatus();
}

absl::Status DirectWriter::Finish() {
  const size_t blocks = filled_ - filled_ % kBlockBytes;
  KINORA_RETURN_IF_ERROR(Write(0, blocks));
  KINORA_RETURN_IF_ERROR(UseCache());
  return Write(blocks, filled_);
}

absl::Status DirectWriter::Write(size_t begin, size_t end) {
  while (begin < end) {
    const ssize_t wrote =
        Retried([&] { return write(fd_, buffer_.get() + begin, end - begin); });
    if (wrote >= 0) {
      begin += static_cast<size_t>(wrote);
    } else if (errno == EINVAL && direct_) {
      // A file system that took the flag, and no bytes; or a disk that took
      // only a part of the last ones, so that a block begins elsewhere.
      KINORA_RETURN_IF_ERROR(UseCache());
    } else {
      return FailedCall("write", path_);
    }
  }
  return absl::OkStatus();
}

absl::Status DirectWriter::UseCache() {
  if (!SetDirect(fd_, false)) return FailedCall("set flags of", path_);
  direct_ = false;
  return absl::OkStatus();
}

}  // namespace kinora
