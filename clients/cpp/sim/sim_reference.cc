#include "clients/cpp/sim/sim_reference.h"

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

#include "common/files/file_url.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

// The next piece of `file`, at the chunk's offset.
absl::Status ReadPiece(const RandomAccessFile& file, v1::InputChunk* chunk) {
  std::string& data = *chunk->mutable_data();
  data.resize(kPieceBytes);
  KINORA_ASSIGN_OR_RETURN(const size_t got,
                          file.ReadAt(static_cast<uint64_t>(chunk->offset()),
                                      absl::MakeSpan(data)));
  data.resize(got);
  chunk->set_last(got < kPieceBytes);
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadSimReference(
    FileSystem& files, const SimReference& reference,
    absl::FunctionRef<absl::Status(const v1::InputChunk& chunk)> take) {
  const std::string name =
      absl::StrCat("input ", reference.binding, "/", reference.element);
  const auto unreadable = [&](const absl::Status& why) {
    return InvalidField(name, reference.url, why.message());
  };
  KINORA_ASSIGN_OR_RETURN(const std::string path,
                          PathOfFileUrl(name, reference.url));
  const absl::StatusOr<std::unique_ptr<RandomAccessFile>> file =
      files.OpenForRead(path);
  if (!file.ok()) return unreadable(file.status());
  v1::InputChunk chunk;
  chunk.set_binding(reference.binding);
  chunk.set_element(reference.element);
  while (!chunk.last()) {
    chunk.set_offset(chunk.offset() +
                     static_cast<int64_t>(chunk.data().size()));
    const absl::Status read = ReadPiece(**file, &chunk);
    if (!read.ok()) return unreadable(read);
    KINORA_RETURN_IF_ERROR(take(chunk));
  }
  return absl::OkStatus();
}

}  // namespace kinora
