#include "clients/cpp/import/folder_file.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/span.h"

#include "clients/cpp/import/media_type.h"
#include "common/digest.h"
#include "common/status.h"
#include "common/utf8.h"

namespace kinora {
namespace {

constexpr uint64_t kReadBytes = uint64_t{1} << 20;
constexpr size_t kMaxCharBytes = 4;

// Whether the pieces of a file are UTF-8 together.
class Utf8Pieces {
 public:
  void Add(absl::string_view piece) {
    if (!is_valid_) return;
    rest_.append(piece.data(), piece.size());
    rest_.erase(0, ValidUtf8Prefix(rest_));
    is_valid_ = rest_.size() < kMaxCharBytes;
  }
  bool AreValid() const { return is_valid_ && rest_.empty(); }

 private:
  std::string rest_;  // the beginning of a character
  bool is_valid_ = true;
};

}  // namespace

absl::Status CheckLeadsBelow(FileSystem& fs, absl::string_view path,
                             absl::string_view root) {
  KINORA_ASSIGN_OR_RETURN(const std::string real, fs.RealPath(path));
  absl::string_view below = real;
  if (!absl::ConsumePrefix(&below, root) ||
      (root != "/" && !absl::ConsumePrefix(&below, "/"))) {
    return absl::InvalidArgumentError(
        absl::StrCat("leads to ", real, ", out of ", root));
  }
  KINORA_ASSIGN_OR_RETURN(const FileInfo info, fs.Stat(real));
  if (!info.is_directory && !info.is_special) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("leads to ", real, ", which is no regular file"));
}

absl::StatusOr<FolderValue> ValueOfFile(FileSystem& fs,
                                        absl::string_view path) {
  FolderValue value;
  value.path = std::string(path);
  KINORA_ASSIGN_OR_RETURN(const std::unique_ptr<RandomAccessFile> file,
                          fs.OpenForRead(path));
  Sha256 hasher;
  Utf8Pieces text;
  std::string piece;
  for (;;) {
    piece.resize(kReadBytes);
    KINORA_ASSIGN_OR_RETURN(
        const size_t got, file->ReadAt(static_cast<uint64_t>(value.size_bytes),
                                       absl::MakeSpan(piece)));
    if (got == 0) break;
    piece.resize(got);
    hasher.Update(piece);
    text.Add(piece);
    value.size_bytes += static_cast<int64_t>(got);
  }
  value.hash = hasher.Finish().Hex();
  value.is_utf8 = text.AreValid();
  value.mime_type = MediaTypeOf(path, value.is_utf8);
  return value;
}

}  // namespace kinora
