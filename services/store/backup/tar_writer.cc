#include "services/store/backup/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"

#include "common/status.h"

namespace kinora {
namespace {

// A multiple of tar's 512: as much as a message of a stream carries.
constexpr int kBlockBytes = 256 * 1024;

constexpr int kPermissions = 0644;

}  // namespace

TarWriter::TarWriter(Sink sink, absl::Time time)
    : sink_(sink), time_(time), archive_(archive_write_new()) {}

TarWriter::~TarWriter() {
  // It would end the archive, for nobody. Freed without being closed after an
  // error it leaks its buffer.
  if (sunk_.ok()) sunk_ = absl::CancelledError("the archive was given up");
  archive_write_close(archive_);
  archive_write_free(archive_);
}

absl::StatusOr<std::unique_ptr<TarWriter>> TarWriter::Start(Sink sink,
                                                            absl::Time time) {
  auto writer = absl::WrapUnique(new TarWriter(sink, time));
  struct archive* const to = writer->archive_;
  KINORA_RETURN_IF_ERROR(
      writer->Check(archive_write_set_format_pax_restricted(to)));
  KINORA_RETURN_IF_ERROR(writer->Check(archive_write_add_filter_none(to)));
  KINORA_RETURN_IF_ERROR(
      writer->Check(archive_write_set_bytes_per_block(to, kBlockBytes)));
  KINORA_RETURN_IF_ERROR(
      writer->Check(archive_write_set_bytes_in_last_block(to, 1)));
  KINORA_RETURN_IF_ERROR(writer->Check(
      archive_write_open(to, writer.get(), nullptr, TakeBytes, nullptr)));
  return writer;
}

ssize_t TarWriter::TakeBytes(struct archive* archive, void* self,
                             const void* bytes, size_t size) {
  TarWriter& writer = *static_cast<TarWriter*>(self);
  if (writer.sunk_.ok()) {
    writer.sunk_ =
        writer.sink_(absl::string_view(static_cast<const char*>(bytes), size));
  }
  if (writer.sunk_.ok()) return static_cast<ssize_t>(size);
  archive_set_error(archive, EIO, "the reader has gone");
  return -1;
}

absl::Status TarWriter::Check(int code) {
  if (code == ARCHIVE_OK) return absl::OkStatus();
  if (!sunk_.ok()) return sunk_;
  const char* const text = archive_error_string(archive_);
  return absl::InternalError(absl::StrCat(
      "writing the archive: ", text == nullptr ? "it failed" : text));
}

absl::Status TarWriter::BeginMember(absl::string_view path,
                                    int64_t size_bytes) {
  const std::unique_ptr<struct archive_entry, void (*)(struct archive_entry*)>
      entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(), std::string(path).c_str());
  archive_entry_set_size(entry.get(), size_bytes);
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), kPermissions);
  archive_entry_set_mtime(entry.get(), absl::ToUnixSeconds(time_), 0);
  return Check(archive_write_header(archive_, entry.get()));
}

absl::Status TarWriter::Append(absl::string_view bytes) {
  while (!bytes.empty()) {
    const la_ssize_t taken =
        archive_write_data(archive_, bytes.data(), bytes.size());
    if (taken < 0) return Check(static_cast<int>(taken));
    if (taken == 0) {
      return absl::InternalError("writing the archive: a member is too long");
    }
    bytes.remove_prefix(static_cast<size_t>(taken));
  }
  return absl::OkStatus();
}

absl::Status TarWriter::Finish() {
  return Check(archive_write_close(archive_));
}

}  // namespace kinora
