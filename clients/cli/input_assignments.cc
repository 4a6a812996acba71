#include "clients/cli/input_assignments.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cli/content_text.h"
#include "clients/cpp/input_edits.h"
#include "common/file_system.h"
#include "common/random.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kPieceBytes = 256 * 1024;

// Sends a file as the blob it was hashed as; a file that changed meanwhile is
// refused by the store.
absl::Status UploadFile(Connection& connection, absl::string_view movie_id,
                        const std::string& path, const v1::Digest& digest) {
  v1::WriteBlobHeader header;
  header.set_movie_id(std::string(movie_id));
  *header.mutable_expected_digest() = digest;
  KINORA_ASSIGN_OR_RETURN(std::unique_ptr<BlobUpload> upload,
                          connection.store().blobs.StartUpload(header));
  for (uint64_t offset = 0;; offset += kPieceBytes) {
    KINORA_ASSIGN_OR_RETURN(
        const std::string piece,
        ReadFileRange(PosixFileSystem(), path, offset, kPieceBytes));
    if (piece.empty()) break;
    KINORA_RETURN_IF_ERROR(upload->Append(piece));
  }
  return upload->Finish().status();
}

}  // namespace

absl::StatusOr<std::vector<v1::PendingEdit>> PrepareEdits(
    Connection& connection, absl::string_view movie_id,
    absl::Span<const std::string> words, FileUpload upload) {
  std::vector<v1::PendingEdit> edits;
  if (words.empty()) return edits;
  v1::ValidateInputsRequest request;
  request.set_movie_id(std::string(movie_id));
  std::vector<std::pair<std::string, v1::Digest>> uploads;
  for (const std::string& word : words) {
    KINORA_ASSIGN_OR_RETURN(InputAssignment assignment, ParseAssignment(word));
    if (!assignment.upload_path.empty()) {
      uploads.emplace_back(assignment.upload_path,
                           assignment.edit.content().blob().digest());
    }
    *request.add_edits() = std::move(assignment.edit);
  }
  KINORA_ASSIGN_OR_RETURN(const v1::ValidateInputsResponse valid,
                          connection.planner().ValidateInputs(request));
  if (upload == FileUpload::kSkip) uploads.clear();
  for (const auto& [path, digest] : uploads) {
    KINORA_RETURN_IF_ERROR(
        Annotate(UploadFile(connection, movie_id, path, digest), path));
  }
  edits.assign(valid.edits().begin(), valid.edits().end());
  return edits;
}

absl::StatusOr<v1::AppendEventsResponse> ApplyEdits(
    Connection& connection, absl::string_view movie_id,
    absl::Span<const v1::PendingEdit> edits,
    absl::string_view unchanged_since) {
  return AppendInputEdits(connection.store(), movie_id, edits,
                          absl::StrCat("cli-", SystemRandom().Next()),
                          unchanged_since);
}

}  // namespace kinora
