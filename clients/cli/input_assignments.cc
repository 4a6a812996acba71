#include "clients/cli/input_assignments.h"

#include <utility>

#include "absl/strings/str_cat.h"

#include "clients/cli/amounts.h"
#include "clients/cli/args.h"
#include "clients/cli/content_text.h"
#include "clients/cpp/input_edits.h"
#include "common/files/file_system.h"
#include "common/random.h"
#include "common/status.h"

namespace kinora {
namespace {

constexpr uint64_t kPieceBytes = 256 * 1024;

// Text is typed so whatever the name of its file says.
constexpr absl::string_view kTextType = "text/plain";

// Values that are no files go in one request, which a server takes up to 16 MiB
// unless it is told otherwise; this leaves room for what stands around them.
constexpr size_t kMaxValueBytes = 15 << 20;

// A file that is to be the value of an input.
struct InputFile {
  int edit = 0;  // in the order of the edits
  std::string path;
  bool is_text = false;
  v1::Digest digest;
};

// The bytes are here, so they are looked at before they are sent or staged.
absl::Status CheckText(const InputFile& file, const v1::PendingEdit& edit) {
  // What is not text was not called that: the input's type did.
  if (file.is_text || edit.content().blob().mime_type() != kTextType) {
    return absl::OkStatus();
  }
  return InvalidField(edit.input_id(), absl::StrCat("file:", file.path),
                      "must be UTF-8 text");
}

// All values together are refused by the name of the largest.
absl::Status CheckSize(const v1::ValidateInputsRequest& request) {
  if (request.ByteSizeLong() <= kMaxValueBytes) return absl::OkStatus();
  const v1::PendingEdit* largest = &request.edits(0);
  for (const v1::PendingEdit& edit : request.edits()) {
    if (edit.ByteSizeLong() > largest->ByteSizeLong()) largest = &edit;
  }
  return InvalidField(
      largest->input_id(),
      FormatSize(
          static_cast<int64_t>(largest->content().inline_().data().size())),
      absl::StrCat("values take at most ", FormatSize(kMaxValueBytes),
                   " in all; larger ones are given as NAME=file:PATH"));
}

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
  std::vector<InputFile> files;
  for (const std::string& word : words) {
    absl::StatusOr<InputAssignment> parsed = ParseAssignment(word);
    // That a file cannot be read is a failure.
    if (absl::IsInvalidArgument(parsed.status())) {
      return BadUsage(parsed.status());
    }
    KINORA_ASSIGN_OR_RETURN(InputAssignment assignment, std::move(parsed));
    if (!assignment.upload_path.empty()) {
      files.push_back({request.edits_size(), assignment.upload_path,
                       assignment.is_text,
                       assignment.edit.content().blob().digest()});
    }
    *request.add_edits() = std::move(assignment.edit);
  }
  KINORA_RETURN_IF_ERROR(BadUsage(CheckSize(request)));
  KINORA_ASSIGN_OR_RETURN(const v1::ValidateInputsResponse valid,
                          connection.planner().ValidateInputs(request));
  for (const InputFile& file : files) {
    KINORA_RETURN_IF_ERROR(CheckText(file, valid.edits(file.edit)));
  }
  if (upload == FileUpload::kSkip) files.clear();
  for (const InputFile& file : files) {
    KINORA_RETURN_IF_ERROR(Annotate(
        UploadFile(connection, movie_id, file.path, file.digest), file.path));
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
