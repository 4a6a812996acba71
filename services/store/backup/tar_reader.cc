#include "services/store/backup/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "common/error_reason.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kReadBytes = size_t{1} << 20;
constexpr int64_t kRecordBytes = 512;
// An archive ends with two empty records.
constexpr int64_t kEndBytes = 2 * kRecordBytes;
// A header, with another one and a record of attributes before it if need be.
constexpr int64_t kMaxHeaderBytes = 3 * kRecordBytes;
// What fills up a member is looked at once the header behind it was read.
constexpr size_t kBeforeBytes = 8 * static_cast<size_t>(kRecordBytes);

}  // namespace

absl::Status CopyDamaged(absl::string_view member, absl::string_view why) {
  const std::string name = ClipValue(member);
  return WithReason(absl::InvalidArgumentError(absl::StrCat(
                        "the copy is damaged or no copy of a movie: ",
                        name.empty() ? "" : absl::StrCat(name, ": "), why)),
                    "DATA_CORRUPT", {{"member", name}});
}

absl::Status OfCopy(absl::string_view member, const absl::Status& status) {
  if (ReasonOf(status) == "FORMAT_UNKNOWN") {
    return WithReason(absl::InvalidArgumentError(status.message()),
                      "FORMAT_UNKNOWN");
  }
  if (!absl::IsDataLoss(status) && !absl::IsInvalidArgument(status)) {
    return status;
  }
  return CopyDamaged(member, status.message());
}

TarReader::TarReader(Source source)
    : source_(source), archive_(archive_read_new()), buffer_(kReadBytes) {}

TarReader::~TarReader() { archive_read_free(archive_); }

absl::StatusOr<std::unique_ptr<TarReader>> TarReader::Start(Source source) {
  auto reader = absl::WrapUnique(new TarReader(source));
  struct archive* const from = reader->archive_;
  KINORA_RETURN_IF_ERROR(reader->Check(archive_read_support_format_tar(from)));
  KINORA_RETURN_IF_ERROR(reader->Check(
      archive_read_open(from, reader.get(), nullptr, GiveBytes, nullptr)));
  return reader;
}

absl::Status TarReader::Take() {
  if (ended_) return absl::OkStatus();
  if (piece_.size() >= kBeforeBytes) {
    before_ = piece_.substr(piece_.size() - kBeforeBytes);
  } else {
    before_.append(piece_);
    if (before_.size() > kBeforeBytes) {
      before_.erase(0, before_.size() - kBeforeBytes);
    }
  }
  KINORA_ASSIGN_OR_RETURN(piece_, source_());
  ended_ = piece_.empty();
  const auto begin = piece_.rbegin();
  const auto last = std::find_if(begin, piece_.rend(),
                                 [](char byte) { return byte != '\0'; });
  trailing_zeros_ =
      (last == piece_.rend() ? trailing_zeros_ : 0) + (last - begin);
  taken_bytes_ += static_cast<int64_t>(piece_.size());
  return absl::OkStatus();
}

ssize_t TarReader::GiveBytes(struct archive* archive, void* self,
                             const void** bytes) {
  TarReader& reader = *static_cast<TarReader*>(self);
  if (reader.given_.ok()) reader.given_ = reader.Take();
  if (!reader.given_.ok()) {
    archive_set_error(archive, EIO, "the bytes do not come");
    return -1;
  }
  *bytes = reader.piece_.data();
  return static_cast<ssize_t>(reader.piece_.size());
}

// A warning is as good as an error: what this build writes gives none.
absl::Status TarReader::Check(int code) {
  if (!given_.ok()) return given_;
  if (code == ARCHIVE_OK) return absl::OkStatus();
  const char* const text = archive_error_string(archive_);
  return CopyDamaged(path_, text == nullptr ? "it cannot be read" : text);
}

absl::Status TarReader::CheckFilling(int64_t end) const {
  const int64_t filling =
      (kRecordBytes - size_bytes_ % kRecordBytes) % kRecordBytes;
  const int64_t piece_at = taken_bytes_ - static_cast<int64_t>(piece_.size());
  const int64_t before_at = piece_at - static_cast<int64_t>(before_.size());
  for (int64_t at = std::max(end - filling, before_at); at < end; ++at) {
    const char byte = at < piece_at
                          ? before_[static_cast<size_t>(at - before_at)]
                          : piece_[static_cast<size_t>(at - piece_at)];
    if (byte != '\0') return CopyDamaged(path_, "is not filled up with zeros");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TarReader::Member>> TarReader::Next() {
  struct archive_entry* entry = nullptr;
  const int code = archive_read_next_header(archive_, &entry);
  if (code == ARCHIVE_EOF && given_.ok()) return std::nullopt;
  // An error names the member before: that far it was in order.
  KINORA_RETURN_IF_ERROR(Check(code));
  KINORA_RETURN_IF_ERROR(CheckFilling(archive_read_header_position(archive_)));
  const char* const path = archive_entry_pathname(entry);
  if (path == nullptr) return CopyDamaged("", "a member has no name");
  path_ = path;
  if (archive_entry_filetype(entry) != AE_IFREG ||
      archive_entry_hardlink(entry) != nullptr ||
      archive_entry_symlink(entry) != nullptr ||
      archive_entry_sparse_count(entry) > 0) {
    return CopyDamaged(path_, "is not a plain file");
  }
  header_at_ = archive_read_header_position(archive_);
  size_bytes_ = archive_entry_size(entry);
  left_bytes_ = size_bytes_;
  return Member{.path = path_, .size_bytes = size_bytes_};
}

absl::StatusOr<absl::string_view> TarReader::Read() {
  if (left_bytes_ == 0) return absl::string_view();
  const la_ssize_t got =
      archive_read_data(archive_, buffer_.data(), buffer_.size());
  if (got < 0) return Check(static_cast<int>(got));
  if (got == 0 || got > left_bytes_) {
    return CopyDamaged(path_, "does not have its size");
  }
  left_bytes_ -= got;
  return absl::string_view(buffer_.data(), static_cast<size_t>(got));
}

absl::Status TarReader::Finish() {
  while (!ended_) KINORA_RETURN_IF_ERROR(Take());
  // Behind the member's bytes there is nothing but zeros.
  const int64_t header_bytes =
      taken_bytes_ - trailing_zeros_ - size_bytes_ - header_at_;
  const int64_t padding =
      (kRecordBytes - size_bytes_ % kRecordBytes) % kRecordBytes;
  if (taken_bytes_ % kRecordBytes == 0 && header_bytes > 0 &&
      header_bytes <= kMaxHeaderBytes &&
      trailing_zeros_ >= padding + kEndBytes) {
    return absl::OkStatus();
  }
  return CopyDamaged("", "it does not end as it should");
}

}  // namespace kinora
