#include "services/store/event/log_tail.h"

#include <algorithm>
#include <utility>

#include "common/status.h"

namespace kinora {
namespace {

class FileWithTail final : public RandomAccessFile {
 public:
  // Of `file`, which may be null, the first `head_bytes` count.
  FileWithTail(std::unique_ptr<RandomAccessFile> file, uint64_t head_bytes,
               std::shared_ptr<const LogTail> tail)
      : file_(std::move(file)),
        head_bytes_(head_bytes),
        tail_(std::move(tail)) {}

  absl::StatusOr<size_t> ReadAt(uint64_t offset,
                                absl::Span<char> out) const override {
    size_t done = 0;
    if (offset < head_bytes_) {
      const uint64_t wanted =
          std::min<uint64_t>(out.size(), head_bytes_ - offset);
      KINORA_ASSIGN_OR_RETURN(done,
                              file_->ReadAt(offset, out.subspan(0, wanted)));
      if (done < wanted) return done;
    }
    const uint64_t at = offset + done - head_bytes_;
    if (at >= tail_->lines.size()) return done;
    const absl::string_view rest =
        absl::string_view(tail_->lines).substr(at, out.size() - done);
    std::copy(rest.begin(), rest.end(), out.begin() + done);
    return done + rest.size();
  }

  absl::StatusOr<uint64_t> Size() const override {
    return head_bytes_ + tail_->lines.size();
  }

 private:
  const std::unique_ptr<RandomAccessFile> file_;
  const uint64_t head_bytes_;
  const std::shared_ptr<const LogTail> tail_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RandomAccessFile>> OpenWithTail(
    FileSystem& fs, absl::string_view path,
    std::shared_ptr<const LogTail> tail) {
  auto file = fs.OpenForRead(path);
  if (absl::IsNotFound(file.status())) {
    return std::make_unique<FileWithTail>(nullptr, 0, std::move(tail));
  }
  KINORA_RETURN_IF_ERROR(file.status());
  // A shorter one has lost lines before the tail: whoever reads it sees that.
  KINORA_ASSIGN_OR_RETURN(const uint64_t size, (*file)->Size());
  const uint64_t head_bytes = std::min(size, tail->offset);
  return std::make_unique<FileWithTail>(*std::move(file), head_bytes,
                                        std::move(tail));
}

}  // namespace kinora
