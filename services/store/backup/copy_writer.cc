#include "services/store/backup/copy_writer.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

#include "common/status.h"
#include "services/store/backup/copy_layout.h"
#include "services/store/checks.h"

namespace kinora {
namespace {

constexpr size_t kObjectReadBytes = size_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<CopyWriter>> CopyWriter::Start(
    ObjectStorage& storage, TarWriter::Sink sink, absl::Time time) {
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<TarWriter> tar,
                          TarWriter::Start(sink, time));
  return std::unique_ptr<CopyWriter>(new CopyWriter(storage, std::move(tar)));
}

absl::Status CopyWriter::Add(absl::string_view path, absl::string_view bytes) {
  KINORA_RETURN_IF_ERROR(
      tar_->BeginMember(path, static_cast<int64_t>(bytes.size())));
  KINORA_RETURN_IF_ERROR(tar_->Append(bytes));
  sums_.Add(path, Sha256Of(bytes));
  return absl::OkStatus();
}

absl::Status CopyWriter::AddObject(const std::string& key,
                                   absl::string_view path) {
  KINORA_ASSIGN_OR_RETURN(const Digest digest, CopyObject(key, path));
  sums_.Add(path, digest);
  return absl::OkStatus();
}

absl::Status CopyWriter::AddBlob(const std::string& key, const Digest& blob) {
  KINORA_ASSIGN_OR_RETURN(const Digest digest,
                          CopyObject(key, BlobMember(blob)));
  if (digest != blob) {
    return DataCorrupt(key, "its bytes do not have its hash");
  }
  sums_.AddBlob(blob);
  return absl::OkStatus();
}

absl::Status CopyWriter::Finish() {
  KINORA_RETURN_IF_ERROR(tar_->BeginMember(kSumsMember, sums_.size_bytes()));
  KINORA_RETURN_IF_ERROR(sums_.Write(
      [this](absl::string_view line) { return tar_->Append(line); }));
  return tar_->Finish();
}

absl::StatusOr<Digest> CopyWriter::CopyObject(const std::string& key,
                                              absl::string_view path) {
  const auto reader = storage_.OpenRead(key);
  if (absl::IsNotFound(reader.status())) {
    return DataCorrupt(key, "is missing: verify the movie");
  }
  KINORA_RETURN_IF_ERROR(reader.status());
  const int64_t size = (*reader)->size_bytes();
  KINORA_RETURN_IF_ERROR(tar_->BeginMember(path, size));
  buffer_.resize(kObjectReadBytes);
  for (int64_t at = 0; at < size;) {
    KINORA_ASSIGN_OR_RETURN(const size_t got,
                            (*reader)->ReadAt(at, absl::MakeSpan(buffer_)));
    if (got == 0) return DataCorrupt(key, "ends early");
    const absl::string_view piece(buffer_.data(), got);
    hasher_.Update(piece);
    KINORA_RETURN_IF_ERROR(tar_->Append(piece));
    at += static_cast<int64_t>(got);
  }
  return hasher_.Finish();
}

}  // namespace kinora
